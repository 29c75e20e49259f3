//! What `plan` says, and that it does nothing.

use super::target::Target;
use super::tree::{difference, tree};

const FILES: &[(&str, &str)] = &[
    ("type/__put/parameter/required", "text"),
    ("type/__put/explorer/is", "cat \"/$__object_id\" 2>/dev/null || :"),
    (
        "type/__put/gencode-remote",
        "[ \"$(cat \"$__object/explorer/is\")\" = \"$(cat \"$__object/parameter/text\")\" ] || echo \"cat \\\"\\$__object/parameter/text\\\" >'/$__object_id'\"",
    ),
    (
        "manifest/init",
        "__put /same --text 1\nrequire=__put/same __put /new --text 2\nrequire=__put/new __put /after --text 3\n",
    ),
];

#[test]
fn a_plan_leaves_nothing_behind_and_a_push_does_what_it_said() {
    let target = Target::start("plan");
    std::fs::write(target.path("/same"), "1\n").unwrap();
    let before = tree(&target.root, &["proc", "dev"], true);
    let plan = target.run("plan", FILES, &["--json"]).ends(3);
    assert_eq!(difference(&before, &tree(&target.root, &["proc", "dev"], true)), Vec::<String>::new());
    assert_eq!(plan.objects("unchanged"), ["__put/same"]);
    assert_eq!(plan.objects("changed"), ["__put/new"]);
    assert_eq!(plan.objects("may-change"), ["__put/after"]);

    let metrics = target.dir.join("metrics.prom");
    let push = target.run("push", FILES, &["--json", "--metrics", metrics.to_str().unwrap()]).ends(0);
    let metrics = std::fs::read_to_string(metrics).unwrap();
    let count = "hostbook_config_objects{host=\"t1\",run=\"push\",result=\"changed\"} 2\n";
    assert!(metrics.contains(count), "{metrics}");
    assert_eq!(push.objects("changed"), ["__put/new", "__put/after"]);
    assert_eq!(push.host()["processes"], 1, "one ssh for everything");

    let again = target.run("plan", FILES, &["--json"]).ends(0);
    assert_eq!(again.objects("unchanged").len(), 3);
    let idle = target.run("push", FILES, &["--json"]).ends(0);
    assert_eq!(idle.objects("unchanged").len(), 3);
    assert!(idle.host()["round_trips"].as_u64().unwrap() <= 3, "{:?}", idle.host());
}
