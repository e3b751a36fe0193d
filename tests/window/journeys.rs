//! What an operator does, from the first start on.

use std::fs;
use std::path::Path;

use thirtyfour::prelude::*;
use weir_http::Remote;

use crate::harness::Window;

/// What one file of the sample holds, counted here and nowhere else.
struct Sums {
    requests: u64,
    tokens: u64,
}

/// Adds up a file of the sample without any of the product's code.
fn sums(feature: &str) -> Sums {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/azure-llm-2023-{feature}.csv"));
    let text = fs::read_to_string(path).expect("the sample");
    let mut sums = Sums { requests: 0, tokens: 0 };
    for row in text.lines().skip(1) {
        let cells = row.split(',').skip(1).map(|cell| cell.trim().parse::<u64>().expect("a whole number"));
        sums.requests += 1;
        sums.tokens += cells.sum::<u64>();
    }
    sums
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

#[tokio::test]
async fn the_first_run_shows_the_sample_and_a_customers_page() {
    let (code, conv) = (sums("code"), sums("conv"));
    let window = Window::open().await;
    window.click("button", "Load the sample").await;
    let events = grouped(code.requests + conv.requests);
    window.read("[role=status], [role=log], section, div", &format!("Loaded {events} sample events")).await;
    window.read("main", "of 25,000,000").await;
    window.read("main", &grouped(conv.tokens)).await;
    window.read("main", &grouped(code.tokens)).await;
    window.read("main", &grouped(code.tokens + conv.tokens)).await;
    window.keep_picture("overview").await;

    window.click("a", "Customers").await;
    window.read("main a", "azure-code").await;
    window.keep_picture("customers").await;
    window.click("main a", "azure-conv").await;
    window.read("h1", "azure-conv").await;
    window.read("main", &format!("{} of 25,000,000", grouped(conv.tokens))).await;
    window.read("main", &format!("{} of 20,000", grouped(conv.requests))).await;
    window.keep_picture("customer").await;
}

/// The window hears of what others do, through the one event that its page may listen to.
#[tokio::test]
async fn an_event_sent_by_a_program_lights_up_the_first_run() {
    let window = Window::open().await;
    window.click("button", "Show the code").await;
    window.read("main", "http://127.0.0.1:").await;
    window.read("main", "Waiting for the first event").await;
    let owner = Remote::find(&window.data_dir()).await.expect("a readable note").expect("the window answers");
    let event = r#"{"customerId": "acme", "eventType": "call", "values": {"tokens": "12.5"}}"#;
    owner.call("events.record", event.to_owned()).await.expect("the event is recorded");
    window.read("main", "The first event has arrived").await;
    window.keep_picture("connected").await;
    window.press('g', false).await;
    window.press('c', false).await;
    window.read("main a", "acme").await;
}

#[tokio::test]
async fn a_meter_and_a_limit_are_made_by_keyboard_alone() {
    let (code, conv) = (sums("code"), sums("conv"));
    let window = Window::open().await;
    window.read("h1", "Overview").await;
    window.tab_to("Load the sample").await;
    window.press(Key::Enter, false).await;
    window.read("main", &grouped(conv.tokens)).await;

    // A meter over all tokens, its sum shown before it is saved.
    window.press('g', false).await;
    window.press('m', false).await;
    window.read("h1", "Meters").await;
    window.press('n', false).await;
    window.read("h1", "New meter").await;
    window.read("input:focus", "").await;
    window.type_text("All tokens").await;
    window.tab_to("Value").await;
    window.type_text("tokens").await;
    window.read("[role=option]", "tokens").await;
    window.press(Key::Enter, false).await;
    window.read("main", &grouped(code.tokens + conv.tokens)).await;
    window.keep_picture("meter preview").await;
    window.press(Key::Enter, true).await;
    window.read("h1", "All tokens").await;
    window.read("main", &grouped(code.tokens + conv.tokens)).await;
    window.keep_picture("meter").await;

    // A limit on it, one below what the conversations used: whom it stops is said before it is saved.
    window.press('g', false).await;
    window.press('l', false).await;
    window.read("h1", "Limits").await;
    window.press('n', false).await;
    window.read("h1", "New limit").await;
    window.read("input:focus", "").await;
    window.type_text(&(conv.tokens - 1).to_string()).await;
    window.tab_to("Of which meter").await;
    window.type_text("All tokens").await;
    window.read("[role=option]", "All tokens").await;
    window.press(Key::Enter, false).await;
    window.tab_to("In which period").await;
    window.press(Key::Enter, false).await;
    window.read("[role=option]", "in all").await;
    window.press(Key::End, false).await;
    window.press(Key::Enter, false).await;
    window.read("main", "azure-conv").await;
    window.keep_picture("limit").await;
    window.press(Key::Enter, true).await;
    window.read("[role=alertdialog]", "").await;
    window.keep_picture("limit warning").await;
    window.tab_to("Create").await;
    window.press(Key::Enter, false).await;
    window.read("main [role=row], main tr", "Exceeded").await;
    window.keep_picture("limit made").await;
}
