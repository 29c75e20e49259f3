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
        let (began, cpu) = (Instant::now(), crate::cpu_of_children());
        assert!(run.status().unwrap().success());
        let each = |seconds: f64| seconds * 1000.0 / f64::from(CALLS);
        (each(began.elapsed().as_secs_f64()), each(crate::cpu_of_children() - cpu))
    };
    for (what, body) in [
        ("one object in a manifest", "__file /srv/$i </dev/null"),
        ("a program that does nothing", "/bin/true"),
    ] {
        let (wall, cpu) = each(body);
        println!("{what}: {wall:.2} ms, {cpu:.2} ms of processor time, the engine's share included");
    }
}
