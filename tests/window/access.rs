//! The local server, as the window switches it: what programs reach follows at once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use weir_http::Remote;

use crate::harness::{PATIENCE, Window, free_port};

/// The answer to a request without a key, or none where nobody listens.
fn ask(address: SocketAddr, path: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).expect("a bound");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    Some(answer)
}

async fn server(owner: &Remote) -> Value {
    let answer = owner.call("server.get", "{}".to_owned()).await.expect("how the server stands");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn the_local_server_is_moved_turned_off_on_and_opened_to_others() {
    let window = Window::open().await;
    window.read("h1", "Overview").await;
    window.click("nav a", "API access").await;
    window.read("section", "http://127.0.0.1:").await;
    let owner = Remote::find(&window.data_dir()).await.expect("a readable note").expect("the window answers");
    assert_eq!(server(&owner).await["enabled"], true, "on from the first start");

    // A port of its own, which no other window comes to listen on in the meantime.
    let port = free_port();
    window.click("button", "Change the port").await;
    window.read("[role=dialog] input:focus", "").await;
    window.press('a', true).await;
    window.type_text(&port.to_string()).await;
    window.click("[role=dialog] button", "Save").await;
    window.read("section", &format!("http://127.0.0.1:{port}")).await;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let healthy = ask(address, "/healthz").expect("it listens on the new port");
    assert!(healthy.starts_with("HTTP/1.1 200 "), "{healthy}");
    let no_key = ask(address, "/v1/customers").expect("it listens on the new port");
    assert!(no_key.starts_with("HTTP/1.1 401 ") && no_key.contains("missing_api_key"), "{no_key}");
    window.keep_picture("server on").await;

    window.click("label", "On").await;
    window.read("[role=alertdialog]", "get no answer until it is on again").await;
    window.keep_picture("server off asked").await;
    window.click("[role=alertdialog] button", "Turn off").await;
    window.read("section", "None while it is off").await;
    assert_eq!(ask(address, "/healthz"), None, "nobody listens any more");
    window.keep_picture("server off").await;

    window.click("label", "Off").await;
    window.read("section", &format!("http://127.0.0.1:{port}")).await;
    assert!(ask(address, "/healthz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200 ")));

    window.click("label", "Cannot reach it").await;
    window.read("[role=alertdialog]", "nothing is encrypted").await;
    window.click("[role=alertdialog] button", "Let them").await;
    window.read("label", "Can reach it").await;
    assert_eq!(server(&owner).await["lan"], json!(true));
    window.keep_picture("server for others").await;
    window.click("label", "Can reach it").await;
    window.read("label", "Cannot reach it").await;
    let last = server(&owner).await;
    assert_eq!((&last["lan"], &last["enabled"], &last["port"]), (&json!(false), &json!(true), &json!(port)));
}
