//! The known name that a mistyped one was probably meant to be.

/// The nearest of the known names, unless none is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> =
        word.chars().take(65).flat_map(char::to_lowercase).filter(|c| !matches!(c, '_' | '-')).collect();
    let (distance, name) = known
        .into_iter()
        .map(|name| {
            let letters: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
            (edits(&word, &letters), name)
        })
        .min_by_key(|(distance, _)| *distance)?;
    let longest = word.len().max(name.chars().count());
    (distance * 2 < longest).then_some(name)
}

/// Letters to insert, delete, replace or swap with their neighbour to turn one word into the other.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_slips_are_found_and_strangers_are_not() {
        let known = ["customerId", "eventType", "limit", "cursor", "timezone"];
        for (word, meant) in [
            ("customer_id", Some("customerId")),
            ("customerID", Some("customerId")),
            ("evenType", Some("eventType")),
            ("limt", Some("limit")),
            ("lmiit", Some("limit")),
            ("timeZone", Some("timezone")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest("a", []), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
