//! Undoes the escapes of JSON strings, wherever they stand: encoders differ in what they escape, up to every single character, so that no
//! list of patterns could name all the ways in which one address may be written. What is no escape stays as it is.

/// Strings inside strings inside strings: deeper nobody nests JSON.
const MOST_LAYERS: usize = 3;

/// The value with its escapes undone once, then twice, and so on, as long as there are any.
pub(super) fn unescaped_layers(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let first = unescaped(value);
    std::iter::successors(first, |layer| unescaped(layer)).take(MOST_LAYERS)
}

/// The value without its escapes; `None` when it has none.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    let mut out: Vec<u8> = Vec::new();
    let mut has_changed = false;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        match escape(rest) {
            Some((character, length)) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
                has_changed = true;
            }
            None => {
                out.push(b'\\');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    has_changed.then_some(out)
}

/// The character of the escape at the beginning, and how long the escape is.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let short = match text.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((short, 2))
}

fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(text.get(6..)?)?;
    let pair = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?;
    Some((pair.ok()?, 12))
}

/// The number of a `\uXXXX` at the beginning.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(text: &str) -> Vec<String> {
        unescaped_layers(text.as_bytes()).map(|layer| String::from_utf8(layer).unwrap()).collect()
    }

    #[test]
    fn escapes_are_undone_and_everything_else_stays() {
        assert_eq!(layers(r#"{"a":"ada\u0040x.org\/\ud83d\ude42"}"#), [r#"{"a":"ada@x.org/🙂"}"#]);
        assert_eq!(layers("no escapes"), Vec::<String>::new());
        assert_eq!(layers(r"C:\path \u00 \ud83d!"), Vec::<String>::new(), "what is no escape is none");
        assert_eq!(layers(r"end\"), Vec::<String>::new());
    }

    #[test]
    fn json_inside_json_is_undone_layer_by_layer() {
        assert_eq!(layers(r#"{\"a\":\"x\\u0040y\"}"#), [r#"{"a":"x\u0040y"}"#, r#"{"a":"x@y"}"#]);
    }
}
