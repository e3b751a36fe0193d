//! Examples as lines to paste into a shell.

use serde_json::Value;

/// A request as a call of curl.
pub fn curl(method: &str, path: &str, operation: &Value) -> String {
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (Some(name), Some(given)) = (parameter["name"].as_str(), parameter.get("example")) else { continue };
        match (parameter["in"].as_str(), given) {
            (Some("path"), given) => path = path.replace(&format!("{{{name}}}"), &plain(given)),
            (Some("query"), Value::Object(members)) => {
                query.extend(members.iter().map(|(key, value)| format!("{name}[{key}]={}", plain(value))));
            }
            (Some("query"), given) => query.push(format!("{name}={}", plain(given))),
            _ => {}
        }
    }
    let mut lines = Vec::new();
    let get = if query.is_empty() { "" } else { "-G " };
    let asked = if method == "GET" { String::new() } else { format!("-X {method} ") };
    lines.push(format!("curl {get}{asked}\"$WEIR_URL\"{}", quoted(&path)));
    lines.push("  -H \"Authorization: Bearer $WEIR_KEY\"".to_owned());
    lines.extend(query.iter().map(|pair| format!("  --data-urlencode {}", quoted(pair))));
    if let Some(body) = operation.pointer("/requestBody/content/application~1json/example") {
        lines.push("  -H 'Content-Type: application/json'".to_owned());
        lines.push(format!("  -d {}", quoted(&pretty(body))));
    }
    lines.join(" \\\n")
}

/// JSON for people.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A word of a shell's command line.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "/._-=".contains(c);
    if text.chars().all(bare) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_names_what_is_asked_and_a_shell_reads_it_as_it_stands() {
        let operation = json!({
            "parameters": [
                { "name": "id", "in": "path", "example": "acme" },
                { "name": "limit", "in": "query", "example": 10 },
                { "name": "dimensions", "in": "query", "example": { "model": "it's" } },
                { "name": "cursor", "in": "query" },
            ],
        });
        assert_eq!(
            curl("GET", "/v1/customers/{id}", &operation),
            "curl -G \"$WEIR_URL\"/v1/customers/acme \\\n  -H \"Authorization: Bearer $WEIR_KEY\" \\\n  \
             --data-urlencode limit=10 \\\n  --data-urlencode 'dimensions[model]=it'\\''s'"
        );
        let operation =
            json!({ "requestBody": { "content": { "application/json": { "example": { "a": "$(rm)" } } } } });
        let line = curl("POST", "/v1/a", &operation);
        assert!(line.ends_with("-d '{\n  \"a\": \"$(rm)\"\n}'") && line.starts_with("curl -X POST "), "{line}");
    }
}
