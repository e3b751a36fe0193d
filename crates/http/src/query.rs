//! The parameters of a query, decoded. What is no UTF-8 is refused instead of being replaced.

use weir_api::ApiError;
use weir_core::error::Code;

/// Most parameters of a request.
const MAX_PARAMETERS: usize = 200;

/// Reads `a=1&b[c]=2`.
pub fn parse(query: Option<&str>) -> Result<Vec<(String, String)>, ApiError> {
    let mut parameters = Vec::new();
    for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name =
            decode(name).ok_or_else(|| ApiError::new(Code::InvalidRequest, "a query parameter's name is not UTF-8"))?;
        let value = decode(value).ok_or_else(|| ApiError::invalid(name.clone(), "is not UTF-8"))?;
        if parameters.len() == MAX_PARAMETERS {
            return Err(ApiError::new(Code::InvalidRequest, format!("more than {MAX_PARAMETERS} query parameters")));
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

/// Takes `+` and `%xx` back; a `%` without two digits stands for itself.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let escaped = if *first == b'%' { more.get(..2).and_then(hex) } else { None };
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let read = |query| parse(Some(query)).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read("a=1&b%5Bc%5D=x+y%2Bz&&d"), [pair("a", "1"), pair("b[c]", "x y+z"), pair("d", "")]);
        assert_eq!(read("a=%C3%A9=%"), [pair("a", "é=%")]);
        assert_eq!(parse(None).unwrap(), []);
    }

    #[test]
    fn what_is_no_text_is_refused_and_named() {
        assert_eq!(parse(Some("limit=%ff")).unwrap_err().details.field.as_deref(), Some("limit"));
        assert_eq!(parse(Some("%ff=1")).unwrap_err().code, Code::InvalidRequest);
        assert!(parse(Some(&"a=1&".repeat(300))).is_err());
    }
}
