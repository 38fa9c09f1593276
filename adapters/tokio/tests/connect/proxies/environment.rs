//! The environment of a process, which is another process.

use std::process::Command;

use websocket_proto_tokio::{ConnectError, Connector, ProxyUriError};

#[test]
fn the_environment_of_the_process_is_read() {
    let name = "proxies::environment::connects_through_the_proxy_of_the_environment";
    let mut child = Command::new(std::env::current_exe().unwrap());
    for (variable, _) in
        std::env::vars_os().filter(|(variable, _)| variable.to_string_lossy().to_lowercase().ends_with("_proxy"))
    {
        child.env_remove(variable);
    }
    child.args(["--exact", name, "--ignored", "--test-threads=1"]);
    child.env("ALL_PROXY", "ftp://proxy").env("no_proxy", "direct.invalid");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "run by the test above, with an environment of its own"]
async fn connects_through_the_proxy_of_the_environment() {
    let connector = Connector::new().proxy_from_env();
    let error = connector.connect("ws://server.test/").await.unwrap_err();
    assert!(
        matches!(error, ConnectError::ProxyUri { variable: Some("ALL_PROXY"), error: ProxyUriError::Scheme }),
        "{error:?}"
    );
    let error = connector.connect("ws://direct.invalid/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
}
