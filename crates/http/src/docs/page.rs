//! The pages: an index, and one for each thing that operations are about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::example::{curl, pretty};
use super::html::{anchor, block, code, escape, prose};
use super::schema::{fields, kind, resolved, term};

/// An operation where the document has it.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    described: &'a Value,
}

impl Operation<'_> {
    fn text(&self, name: &str) -> &str {
        self.described[name].as_str().unwrap_or_default()
    }

    fn tag(&self) -> &str {
        self.described["tags"][0].as_str().unwrap_or("other")
    }
}

/// Every page by its name; the index has none.
pub fn pages(document: &Value) -> BTreeMap<String, String> {
    let operations = operations(document);
    let tags: BTreeSet<&str> = operations.iter().map(Operation::tag).collect();
    let mut pages = BTreeMap::new();
    for tag in &tags {
        let of_tag: Vec<&Operation> = operations.iter().filter(|operation| operation.tag() == *tag).collect();
        let title = title(tag);
        let mut main = format!("<h1>{}</h1>{}", escape(&title), list(&of_tag, false));
        for operation in of_tag {
            main.push_str(&section(document, operation));
        }
        pages.insert(anchor(tag), whole(&title, &tags, Some(tag), &main));
    }
    pages.insert(String::new(), whole("API", &tags, None, &index(document, &operations, &tags)));
    pages
}

/// The operations, each path's in the order of the methods below. `PATCH` is told with `PUT`.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, name) in [("POST", "post"), ("GET", "get"), ("PUT", "put"), ("DELETE", "delete")] {
            if let Some(described) = methods.get(name) {
                operations.push(Operation { method, path, described });
            }
        }
    }
    operations
}

/// `rate_limits` as a heading.
fn title(tag: &str) -> String {
    let mut letters = tag.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    (first + letters.as_str()).replace('_', " ")
}

fn whole(title: &str, tags: &BTreeSet<&str>, here: Option<&str>, main: &str) -> String {
    let mut nav = String::new();
    let current = |is: bool| if is { " aria-current=\"page\"" } else { "" };
    nav.push_str(&format!("<li><a href=\"/docs\"{}>Overview</a></li>", current(here.is_none())));
    for tag in tags {
        let (name, href) = (escape(&self::title(tag)), anchor(tag));
        nav.push_str(&format!("<li><a href=\"/docs/{href}\"{}>{name}</a></li>", current(here == Some(tag))));
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} · Weir API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/icon.svg\"><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\
         <header><a class=\"home\" href=\"/docs\"><img src=\"/icon.svg\" alt=\"\" width=\"24\" height=\"24\">Weir API</a>\
         <a href=\"/v1/openapi.json\">OpenAPI 3.1</a></header>\
         <div class=\"columns\"><nav aria-label=\"Pages\"><ul>{nav}</ul></nav><main id=\"main\">{main}</main></div></body></html>",
        escape(title)
    )
}

fn index(document: &Value, operations: &[Operation<'_>], tags: &BTreeSet<&str>) -> String {
    let about = prose(document["info"]["description"].as_str().unwrap_or_default());
    let version = escape(document["info"]["version"].as_str().unwrap_or_default());
    let begin = block(
        "To try the examples, say where the server is and who you are",
        "export WEIR_URL=http://127.0.0.1:8787\nexport WEIR_KEY=weir_sk_...",
    );
    let mut main = format!(
        "<h1>API</h1><p class=\"lead\">{about}</p><p>Version {version}. Keys are made in the console or with \
         <code>weir keys create</code>, and sent as <code>Authorization: Bearer</code>. A key's scope is <code>read</code>, \
         <code>ingest</code> or <code>manage</code>; each includes the ones before it.</p>{begin}<h2 id=\"operations\">Operations</h2>"
    );
    for tag in tags {
        let of_tag: Vec<&Operation> = operations.iter().filter(|operation| operation.tag() == *tag).collect();
        main.push_str(&format!(
            "<h3 id=\"{0}\"><a href=\"/docs/{0}\">{1}</a></h3>{2}",
            anchor(tag),
            escape(&title(tag)),
            list(&of_tag, true)
        ));
    }
    main.push_str(&errors(document));
    main
}

/// A list of operations, each leading to where it is told.
fn list(operations: &[&Operation<'_>], elsewhere: bool) -> String {
    let items: String = operations
        .iter()
        .map(|operation| {
            let page = if elsewhere { format!("/docs/{}", anchor(operation.tag())) } else { String::new() };
            format!(
                "<li><a href=\"{page}#{}\">{}<span class=\"path\">{}</span></a><span class=\"about\">{}</span></li>",
                anchor(operation.text("operationId")),
                method(operation.method),
                escape(operation.path),
                prose(operation.text("summary"))
            )
        })
        .collect();
    format!("<ul class=\"operations\">{items}</ul>")
}

fn method(method: &str) -> String {
    format!("<span class=\"method {}\">{method}</span>", method.to_ascii_lowercase())
}

fn section(document: &Value, operation: &Operation<'_>) -> String {
    let id = anchor(operation.text("operationId"));
    let mut out = format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}.title\"><h2 id=\"{id}.title\"><a href=\"#{id}\">{}<span class=\"path\">{}</span></a></h2>\
         <p class=\"lead\">{}</p><p class=\"note\">{}{}</p>",
        method(operation.method),
        escape(operation.path),
        prose(operation.text("summary")),
        prose(operation.text("description")),
        if operation.method == "PUT" { " <code>PATCH</code> does the same." } else { "" },
    );
    out.push_str(&parameters(document, operation.described));
    let body = &operation.described["requestBody"];
    let schema = &body["content"]["application/json"]["schema"];
    if !schema.is_null() {
        let optional = if body["required"] == true { "" } else { " <span class=\"kind\">may be left out</span>" };
        out.push_str(&format!("<h3>Body{optional}</h3>{}", fields(document, schema)));
    }
    out.push_str(&block("Example", &curl(operation.method, operation.path, operation.described)));
    out.push_str(&answers(document, operation.described));
    out.push_str("</section>");
    out
}

fn parameters(document: &Value, described: &Value) -> String {
    let mut out = String::new();
    for (place, heading) in [("path", "In the path"), ("query", "In the query"), ("header", "In the headers")] {
        let of_place: String = described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == place)
            .map(|parameter| {
                let mut schema = parameter["schema"].clone();
                if !parameter["description"].is_null() {
                    schema["description"] = parameter["description"].clone();
                }
                term(document, parameter["name"].as_str().unwrap_or_default(), &schema, parameter["required"] == true)
            })
            .collect();
        if !of_place.is_empty() {
            out.push_str(&format!("<h3>{heading}</h3><dl class=\"fields\">{of_place}</dl>"));
        }
    }
    out
}

fn answers(document: &Value, described: &Value) -> String {
    let (mut done, mut refused) = (String::new(), String::new());
    for (status, response) in described["responses"].as_object().into_iter().flatten() {
        let response = resolved(document, response);
        if !status.starts_with('2') {
            let codes = response.pointer("/content/application~1json/examples").and_then(Value::as_object);
            let codes: Vec<String> = codes
                .into_iter()
                .flat_map(|codes| codes.keys())
                .map(|code| format!("<a href=\"/docs#error-{}\">{}</a>", anchor(code), self::code(code)))
                .collect();
            refused.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
                escape(status),
                codes.join(" ")
            ));
            continue;
        }
        let content = response["content"].as_object();
        for (media, content) in content.into_iter().flatten() {
            let schema = &content["schema"];
            let listed = fields(document, schema);
            let told = if listed.is_empty() {
                format!("<p>{}</p>", prose(schema["description"].as_str().unwrap_or_default()))
            } else {
                listed
            };
            done.push_str(&format!("<h3>Answer <span class=\"kind\">{} {}</span></h3>", escape(status), escape(media)));
            if let Some(example) = content.get("example") {
                done.push_str(&block("Example", &pretty(example)));
            }
            done.push_str(&format!("<details><summary>What the answer holds</summary>{told}</details>"));
        }
        done.push_str(&headers(document, response));
    }
    format!(
        "{done}<h3>Refusals</h3><table class=\"refusals\"><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Codes</th></tr></thead>\
         <tbody>{refused}</tbody></table>"
    )
}

fn headers(document: &Value, response: &Value) -> String {
    let listed: String = response["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, header)| {
            let header = resolved(document, header);
            let about = prose(header["description"].as_str().unwrap_or_default());
            let kind = kind(document, &header["schema"]);
            format!("<div><dt>{} <span class=\"kind\">{kind}</span></dt><dd>{about}</dd></div>", code(name))
        })
        .collect();
    if listed.is_empty() {
        return listed;
    }
    format!("<details><summary>Headers of the answer</summary><dl class=\"fields\">{listed}</dl></details>")
}

/// Every code that some operation refuses with, and what it means.
fn errors(document: &Value) -> String {
    let mut rows: BTreeMap<(u64, &str), &str> = BTreeMap::new();
    for response in document["components"]["responses"].as_object().into_iter().flat_map(|responses| responses.values())
    {
        let examples = response.pointer("/content/application~1json/examples").and_then(Value::as_object);
        for (code, example) in examples.into_iter().flatten() {
            let error = &example["value"]["error"];
            let message = error["message"].as_str().unwrap_or_default();
            rows.insert((error["status"].as_u64().unwrap_or_default(), code), message);
        }
    }
    let rows: String = rows
        .into_iter()
        .map(|((status, code), message)| {
            format!(
                "<tr id=\"error-{}\"><th scope=\"row\">{}</th><td>{status}</td><td>{}</td></tr>",
                anchor(code),
                self::code(code),
                prose(message)
            )
        })
        .collect();
    let shape = resolved(document, &document["components"]["schemas"]["Error"]);
    format!(
        "<h2 id=\"errors\">Errors</h2><p>{}</p><table class=\"errors\"><thead><tr><th scope=\"col\">Code</th>\
         <th scope=\"col\">Status</th><th scope=\"col\">What it means</th></tr></thead><tbody>{rows}</tbody></table>\
         <details><summary>What a refusal holds</summary>{}</details>",
        prose(shape["description"].as_str().unwrap_or_default()),
        fields(document, shape)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every text of a document made hostile, except the words that carry its structure.
    fn poisoned(value: Value, key: &str) -> Value {
        match value {
            Value::String(text) if !["$ref", "in", "type", "format"].contains(&key) => {
                format!("{text}\"'><script>alert(1)</script>").into()
            }
            Value::Array(items) if key != "required" => items.into_iter().map(|item| poisoned(item, key)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (name.clone(), poisoned(member, &name))).collect()
            }
            other => other,
        }
    }

    #[test]
    fn every_operation_is_told_once_and_can_be_reached() {
        let document = weir_api::openapi();
        let pages = pages(&document);
        let index = &pages[""];
        for operation in operations(&document) {
            let (tag, id) = (anchor(operation.tag()), anchor(operation.text("operationId")));
            let page = &pages[&tag];
            assert_eq!(page.matches(&format!("<section id=\"{id}\"")).count(), 1, "{id}");
            assert!(index.contains(&format!("href=\"/docs/{tag}#{id}\"")), "{id}");
            assert!(page.contains(&escape(operation.text("summary")).replace('`', "")[..10]), "{id}");
        }
        assert!(index.contains("id=\"error-limit_exceeded\"") && !index.contains("<script"));
    }

    #[test]
    fn every_link_leads_to_something() {
        let pages = pages(&weir_api::openapi());
        for (name, page) in &pages {
            let mut ids = BTreeSet::new();
            for id in page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(ids.insert(id), "{id} stands twice on {name}");
            }
            for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let (target, place) = link.split_once('#').unwrap_or((link, ""));
                if ["/icon.svg", "/docs/style.css", "/v1/openapi.json"].contains(&target) {
                    continue;
                }
                let target =
                    if target.is_empty() { name } else { target.trim_start_matches("/docs").trim_start_matches('/') };
                let page = pages.get(target).unwrap_or_else(|| panic!("{name} leads to {link}"));
                assert!(place.is_empty() || page.contains(&format!(" id=\"{place}\"")), "{name} leads to {link}");
            }
        }
    }

    #[test]
    fn nothing_in_the_document_becomes_a_tag() {
        let document = poisoned(weir_api::openapi(), "");
        let pages = pages(&document);
        assert!(pages.values().any(|page| page.contains("&lt;script&gt;")));
        for (name, page) in &pages {
            assert!(!page.contains("<script") && !page.contains("\"'>"), "{name}");
        }
        let hostile = json!({ "paths": { "/a\"><b>": { "get": { "operationId": "x\"><i>", "tags": ["t\"><u>"] } } } });
        for (name, page) in super::pages(&hostile) {
            for tag in ["<b>", "<i>", "<u>"] {
                assert!(!page.contains(tag), "{name}: {tag}");
            }
        }
    }
}
