//! What is refused in the application and its variables.

use super::*;

#[test]
fn errors_in_the_application() {
    assert_errors(&[
        (
            "[tool]\nx = 1",
            "7: tool: unknown key; known here: application, component, spin_manifest_version, trigger, variables",
        ),
        (
            "[componant.b]\nsource = \"b\"",
            "7: componant: unknown key; did you mean \"component\"?",
        ),
    ]);
    let with_application = |text: &str| {
        let head = "spin_manifest_version = 2\ntrigger.http = []\n[application]\nname = \"app\"\n";
        errors(parse(&format!("{head}{text}")))
    };
    for (text, want) in [
        (
            "nam = \"x\"",
            "5: application.nam: unknown key; did you mean \"name\"?",
        ),
        (
            "version = 1",
            "5: application.version: must be a string, is an integer",
        ),
        (
            "authors = \"me\"",
            "5: application.authors: must be an array, is a string",
        ),
        (
            "authors = [\n  \"me\",\n  7 ]",
            "7: application.authors: must be a string, is an integer",
        ),
        (
            "targets = [\"spin-up:4\"]",
            "5: application.targets: not supported by this host: it checks no component against other environments; remove the key",
        ),
        (
            "[application.trigger.http]\nbase = \"/x\"",
            "5: application.trigger.http: not supported by this host: triggers have no settings for the whole application here; write the full path into each [[trigger.http]] route",
        ),
        (
            "[application.tool.chatly]\nshedule.sweep = \"5s\"",
            "6: application.tool.chatly.shedule: unknown key; did you mean \"schedule\"?",
        ),
        (
            "[application.tool.chatly.schedule]\nsweep = \"5\"",
            "6: application.tool.chatly.schedule.sweep: \"5\" is no duration; write a whole number above zero and its unit: \"250ms\", \"5s\", \"2m\" or \"1h\"",
        ),
        (
            "[application.tool.chatly.schedule]\nswep = \"5s\"",
            "6: application.tool.chatly.schedule.swep: unknown key; did you mean \"sweep\"?",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"rsa\"\n[variables]\nkey = { default = \"\", secret = true }",
            "6: application.tool.chatly.local_secrets.key: \"rsa\" is no kind of secret; write \"token\", \"standard-webhooks\" or \"ed25519\"",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"token\"\n[variables]\nkey = { default = \"\" }",
            "6: application.tool.chatly.local_secrets.key: the variable is not secret; add `secret = true` to it",
        ),
        (
            "[application.tool.chatly.local_secrets]\nkey = \"token\"",
            "6: application.tool.chatly.local_secrets.key: there is no such variable; declare it in [variables]",
        ),
        (
            "[application.tool.chatly.limits]\ncpu = \"5s\"",
            "6: application.tool.chatly.limits.cpu: unknown key; did you mean \"cpu_timeout\"?",
        ),
    ] {
        assert_eq!(with_application(text), format!("{PATH}:{want}"), "{text}");
    }
}

#[test]
fn errors_in_variables() {
    assert_errors(&[
        (
            "[variables.x]\nrequired = true\ndefault = \"d\"",
            "7: variables.x: is required and has a default, so the default could never be used; remove one",
        ),
        (
            "[variables.x]\nsecret = true",
            "7: variables.x: has no value when nobody gives it one; add `required = true` or `default = \"…\"`",
        ),
        (
            "[variables.x]\ndefault = 5",
            "8: variables.x.default: must be a string, is an integer",
        ),
        (
            "[variables.x]\ndefault = \"\"\nsecrt = true",
            "9: variables.x.secrt: unknown key; did you mean \"secret\"?",
        ),
        (
            "[variables.x]\nrequired = \"yes\"\ndefault = \"\"",
            "8: variables.x.required: must be true or false, is a string",
        ),
        (
            "[variables.X]\nrequired = true",
            "7: variables.X: the variable name \"X\" must be lower case; write \"x\"",
        ),
        (
            "[variables.a-b]\nrequired = true",
            "7: variables.a-b: the variable name \"a-b\" must join its words with '_'; write \"a_b\"",
        ),
        (
            "[variables.\"a b\"]\nrequired = true",
            "7: variables.\"a b\": the variable name \"a b\" contains ' '; use letters, digits and '_'",
        ),
    ]);
    // `variables = 5` beside the head's table would be a TOML error, so this one has its own head.
    let text =
        "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\nvariables = 5";
    assert_eq!(
        errors(parse(text)),
        format!("{PATH}:4: variables: must be a table, is an integer")
    );
}
