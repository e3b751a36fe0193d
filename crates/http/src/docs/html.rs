//! Writing HTML: whatever is not written as a tag here is escaped.

/// Text for between tags and within quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A description: escaped, with what stands between ticks as code and empty lines as breaks.
pub fn prose(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            out.push_str(&code(part));
        } else {
            out.push_str(&escape(part).replace("\n\n", "<br>"));
        }
    }
    out
}

/// Words of the interface.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Lines to copy.
pub fn block(label: &str, text: &str) -> String {
    // What scrolls can be reached by the keyboard too.
    format!(
        "<figure><figcaption>{}</figcaption><pre tabindex=\"0\"><code>{}</code></pre></figure>",
        escape(label),
        escape(text)
    )
}

/// An identifier for an anchor: letters, digits and dots of the name.
pub fn anchor(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_becomes_a_tag() {
        let hostile = "<script>alert('1')</script>\" onload=\"x & `<b>` </pre>";
        for written in [escape(hostile), prose(hostile), code(hostile)] {
            assert!(
                !written.contains("<script") && !written.contains("<b>") && !written.contains("</pre"),
                "{written}"
            );
            assert!(!written.contains('"') && !written.contains('\''), "{written}");
        }
        assert_eq!(prose("a `b` c"), "a <code>b</code> c");
        assert_eq!(anchor("a\"><b>"), "a---b-");
    }
}
