//! Limits as a list and as a file, put into force over a real socket.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Host, Reply};

/// The faults that an answer lists: which limit, which field, which rule.
fn faults(reply: &Reply) -> Vec<(u64, String, String)> {
    assert_eq!(reply.status, 400, "{}", reply.text);
    let error = &reply.json()["error"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    error["details"]["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{error}"))
        .iter()
        .map(|fault| (fault["index"].as_u64().unwrap(), text(&fault["field"]), text(&fault["code"])))
        .collect()
}

async fn limits(host: &Host) -> Value {
    host.ok("limits.list", json!({})).await["data"].clone()
}

#[tokio::test]
async fn whatever_is_wrong_with_any_limit_is_said_at_once() {
    let host = Host::start().await;
    let good = json!({ "name": "good", "meter": "total_tokens", "limitValue": 5, "period": "day" });
    let with = |name: &str, value: Value| {
        let mut limit = good.clone();
        limit["name"] = json!(format!("of {name}"));
        limit[name] = value;
        limit
    };
    let list = json!([
        good,
        with("limitValue", json!("five")),
        with("peroid", json!("day")),
        with("meter", json!("nothing")),
        with("limitValue", json!(-1)),
        7
    ]);
    let reply = host.call("limits.sync", json!({ "limits": list })).await;
    let expected = [
        (1, "limits[1].limitValue", "invalid_field_value"),
        (2, "limits[2].peroid", "unknown_field"),
        (3, "limits[3].meter", "invalid_field_value"),
        (4, "limits[4].limitValue", "invalid_field_value"),
        (5, "limits[5]", "invalid_request"),
    ];
    let expected: Vec<_> = expected.map(|(index, field, code)| (index, field.to_owned(), code.to_owned())).into();
    assert_eq!(faults(&reply), expected);
    assert!(reply.text.contains("did you mean `period`?"), "{}", reply.text);
    assert_eq!(limits(&host).await, json!([]), "nothing was done");
    assert_eq!(host.refused("limits.sync", json!({ "limits": [good], "archive": true })).await.1, "archive");
    host.stop().await;
}

#[tokio::test]
async fn a_long_list_under_a_key_is_answered_again_as_it_was() {
    let host = Host::start().await;
    let limit = |n| json!({ "name": format!("limit {n}"), "meter": "total_tokens", "limitValue": 5, "period": "day" });
    let body = json!({ "limits": (0..1_500).map(limit).collect::<Vec<_>>() }).to_string();
    let send = async || {
        let request = host.request(Method::POST, "/v1/limits/sync").header("idempotency-key", "once");
        host.send(request.header("content-type", "application/json").body(body.clone())).await
    };
    let first = send().await;
    assert_eq!((first.status.as_u16(), &first.json()["created"]), (200, &json!(1_500)));
    assert_eq!(send().await.text, first.text);
    host.stop().await;
}

#[tokio::test]
async fn a_file_says_its_lines_and_keeps_its_digits() {
    let host = Host::start().await;
    let text = "\
# what everybody may use
[[limit]]
name = \"Tokens\"
meter = \"total_tokens\"
limitValue = 123456789012345678.123456789
period = \"month\"
alertThresholds = [100, 80]

[[limit]]
name = \"Tenth\"
customerId = \"a \\\"b\\\"\"
meter = \"total_events\"
limitValue = 0.1
period = \"all_time\"
dimensionFilters = { model = \"gpt-4\", \"a.b\" = \"x\" }
enforcement = \"soft\"
enabled = false
";
    let plan = host.ok("limits.apply", json!({ "text": text, "preview": true })).await;
    assert_eq!((&plan["applied"], &plan["created"], limits(&host).await), (&json!(false), &json!(2), json!([])));
    let done = host.ok("limits.apply", json!({ "text": text })).await;
    assert_eq!((&done["applied"], &done["changes"]), (&json!(true), &plan["changes"]));
    let listed = host.get("/v1/limits").await.text;
    for digits in [r#""limitValue":123456789012345678.123456789,"#, r#""limitValue":0.1,"#] {
        assert!(listed.contains(digits), "{listed}");
    }
    for format in ["toml", "json"] {
        let file = host.ok("limits.file", json!({ "format": format })).await;
        assert_eq!(file["limits"], 2);
        let request = json!({ "text": file["text"], "format": format, "archiveMissing": true });
        let again = host.ok("limits.apply", request).await;
        assert_eq!((&again["unchanged"], &again["changes"]), (&json!(2), &json!([])), "{file}");
    }

    let wrong = text.replace("0.1", "\"much\"").replace("\"month\"", "\"fortnight\"");
    let reply = host.call("limits.apply", json!({ "text": wrong })).await;
    let fields: Vec<_> = faults(&reply).into_iter().map(|(index, field, _)| (index, field)).collect();
    assert_eq!(fields, [(0, "limits[0].period".to_owned()), (1, "limits[1].limitValue".to_owned())]);
    assert!(reply.text.contains("line 6: `limits[0].period`") && reply.text.contains("line 13: "), "{}", reply.text);
    for (text, field) in
        [("[[limit]\n", "text"), ("[[limits]]", "text"), ("", "text"), ("# cut", "text"), ("limit = 1", "text")]
    {
        assert_eq!(host.refused("limits.apply", json!({ "text": text })).await.1, field, "{text}");
    }
    let json = json!({ "text": "{\"limit\": []}", "format": "json" });
    assert_eq!(host.refused("limits.apply", json).await.1, "text");

    // The former file takes everything back.
    let next = text.rsplit_once("\n[[limit]]").unwrap().0.replace("month", "day");
    let changed = host.ok("limits.apply", json!({ "text": next, "archiveMissing": true })).await;
    assert_eq!((&changed["updated"], &changed["archived"]), (&json!(1), &json!(1)));
    let back = host.ok("limits.apply", json!({ "text": text, "archiveMissing": true })).await;
    assert_eq!((&back["updated"], &back["created"]), (&json!(1), &json!(1)));

    // A file can also say that there is none.
    let done = host.ok("limits.apply", json!({ "text": "limit = []", "archiveMissing": true })).await;
    assert_eq!((&done["archived"], limits(&host).await), (&json!(2), json!([])));
    for format in ["toml", "json"] {
        let file = host.ok("limits.file", json!({ "format": format })).await;
        let request = json!({ "text": file["text"], "format": format, "archiveMissing": true });
        assert_eq!(host.ok("limits.apply", request).await["changes"], json!([]), "{file}");
    }
    host.stop().await;
}
