//! What one call of a type's command costs, beside the start of a program that does nothing.

use std::process::Command;
use std::time::Instant;

const CALLS: u32 = 1000;

/// Prints it.
pub(crate) fn measure() {
    let each = |body: &str| {
        let script = format!("i=0; while [ $i -lt {CALLS} ]; do i=$((i+1)); {body}; done");
        let mut run = Command::new(env!("CARGO_BIN_EXE_hostbook-config"));
        run.args(["shell", "--", "sh", "-ec", &script]).stdout(std::process::Stdio::null());
        let began = Instant::now();
        assert!(run.status().unwrap().success());
        began.elapsed().as_secs_f64() * 1000.0 / f64::from(CALLS)
    };
    let (define, nothing) = (each("__file /srv/$i </dev/null"), each("/bin/true"));
    println!("one object in a manifest: {define:.2} ms; a program that does nothing: {nothing:.2} ms");
}
