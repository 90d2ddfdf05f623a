//! Masking strategies as Fideslang writes them: `{strategy: .., configuration: {..}}`, on a field or in a policy's rule.
//! A strategy that we cannot carry out exactly is refused when the map is read, never replaced by another one.

use super::reader::{Keys, Object, Reader};
use super::taxonomy::did_you_mean;
use super::tree::Node;
use super::{HashAlgorithm, Masking};

const STRATEGY: Keys = Keys { known: &["strategy", "configuration"], elsewhere: &[("configuration", CONFIGURATION.known)] };

const CONFIGURATION: Keys = Keys { known: &["rewrite_value", "length", "algorithm", "format_preservation"], elsewhere: &[] };
const NOTHING: Keys = Keys { known: &[], elsewhere: &[] };
const STRING_REWRITE: Keys = Keys { known: &["rewrite_value", "format_preservation"], elsewhere: &[] };
const RANDOM_STRING_REWRITE: Keys = Keys { known: &["length", "format_preservation"], elsewhere: &[] };
const KEYED: Keys = Keys { known: &["algorithm", "format_preservation"], elsewhere: &[] };
const FORMAT_PRESERVATION: Keys = Keys { known: &["suffix"], elsewhere: &[] };

const NAMES: [&str; 6] = ["null_rewrite", "string_rewrite", "random_string_rewrite", "hash", "hmac", "preserve"];
const ALGORITHMS: [(&str, HashAlgorithm); 2] = [("SHA-256", HashAlgorithm::Sha256), ("SHA-512", HashAlgorithm::Sha512)];
const DEFAULT_RANDOM_LENGTH: usize = 30;

impl Reader {
    /// A strategy that overwrites a field.
    pub(super) fn masking(&mut self, node: &Node) -> Option<Masking> {
        let object = self.object(node, "a masking strategy", &STRATEGY)?;
        let name = self.required_text(object, "strategy")?;
        let line = object.line_of("strategy");
        match name.as_str() {
            "null_rewrite" => self.configuration(object, &NOTHING, |_, _| Some(Masking::NullRewrite)),
            "preserve" => self.configuration(object, &NOTHING, |_, _| Some(Masking::Preserve)),
            "string_rewrite" => self.configuration(object, &STRING_REWRITE, |reader, configuration| {
                let Some(configuration) = configuration.filter(|given| given.get("rewrite_value").is_some()) else {
                    reader.error(line, "`string_rewrite` has no `configuration.rewrite_value`", None);
                    return None;
                };
                let rewrite_value = reader.text(configuration, "rewrite_value")?;
                Some(Masking::StringRewrite { rewrite_value, suffix: reader.suffix(configuration) })
            }),
            "random_string_rewrite" => self.configuration(object, &RANDOM_STRING_REWRITE, |reader, configuration| {
                let length = configuration.and_then(|given| reader.count(given, "length")).unwrap_or(DEFAULT_RANDOM_LENGTH);
                Some(Masking::RandomStringRewrite { length, suffix: configuration.and_then(|given| reader.suffix(given)) })
            }),
            "hash" => {
                let (algorithm, suffix) = self.keyed(object)?;
                Some(Masking::Hash { algorithm, suffix })
            }
            "hmac" => {
                let (algorithm, suffix) = self.keyed(object)?;
                Some(Masking::Hmac { algorithm, suffix })
            }
            "aes_encrypt" => {
                let message = "`aes_encrypt` is reversible pseudonymisation, not erasure, and is not supported";
                self.error(line, message, Some("use `null_rewrite`, or delete the row".into()));
                None
            }
            "delete" => {
                let hint = "rows are deleted by `masking_strategy_override: {strategy: delete}` on the collection".to_owned();
                self.error(line, "`delete` is no strategy for a field", Some(hint));
                None
            }
            unknown => {
                let hint = did_you_mean(unknown, NAMES).unwrap_or_else(|| format!("known: {}", NAMES.join(", ")));
                self.error(line, format!("unknown masking strategy `{unknown}`"), Some(hint));
                None
            }
        }
    }

    fn configuration(
        &mut self,
        strategy: Object<'_>,
        keys: &Keys,
        read: impl FnOnce(&mut Reader, Option<Object<'_>>) -> Option<Masking>,
    ) -> Option<Masking> {
        match strategy.get("configuration") {
            None => read(self, None),
            Some(node) => {
                let configuration = self.object(node, "a masking configuration", keys)?;
                read(self, Some(configuration))
            }
        }
    }

    fn keyed(&mut self, strategy: Object<'_>) -> Option<(HashAlgorithm, Option<String>)> {
        let Some(node) = strategy.get("configuration") else { return Some((HashAlgorithm::default(), None)) };
        let configuration = self.object(node, "a masking configuration", &KEYED)?;
        let algorithm = match configuration.get("algorithm") {
            None => HashAlgorithm::default(),
            Some(_) => self.word(configuration, "algorithm", &ALGORITHMS)?,
        };
        Some((algorithm, self.suffix(configuration)))
    }

    fn suffix(&mut self, configuration: Object<'_>) -> Option<String> {
        let node = configuration.get("format_preservation")?;
        let preservation = self.object(node, "`format_preservation`", &FORMAT_PRESERVATION)?;
        self.text(preservation, "suffix")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::tree;
    use super::*;

    fn read(text: &str) -> Result<Masking, Vec<String>> {
        let mut reader = Reader::new(Arc::new(PathBuf::from("m.yml")), false);
        let masking = reader.masking(&tree::parse(text).unwrap());
        match masking {
            Some(masking) if reader.errors.is_empty() => Ok(masking),
            _ => Err(reader.errors.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn every_strategy_is_read_with_its_defaults() {
        assert_eq!(read("strategy: null_rewrite"), Ok(Masking::NullRewrite));
        assert_eq!(read("{strategy: null_rewrite, configuration: {}}"), Ok(Masking::NullRewrite));
        assert_eq!(read("{strategy: preserve, configuration: ~}"), Ok(Masking::Preserve));
        assert_eq!(read("strategy: random_string_rewrite"), Ok(Masking::RandomStringRewrite { length: 30, suffix: None }));
        assert_eq!(read("strategy: hash"), Ok(Masking::Hash { algorithm: HashAlgorithm::Sha256, suffix: None }));
        assert_eq!(
            read("{strategy: hmac, configuration: {algorithm: SHA-512}}"),
            Ok(Masking::Hmac { algorithm: HashAlgorithm::Sha512, suffix: None })
        );
    }

    #[test]
    fn a_rewrite_keeps_its_value_and_suffix() {
        let text = "{strategy: string_rewrite, configuration: {rewrite_value: testing, format_preservation: {suffix: '-test'}}}";
        assert_eq!(read(text), Ok(Masking::StringRewrite { rewrite_value: "testing".into(), suffix: Some("-test".into()) }));
        assert_eq!(
            read("{strategy: string_rewrite, configuration: {rewrite_value: ''}}"),
            Ok(Masking::StringRewrite { rewrite_value: String::new(), suffix: None }),
            "empty text is a value"
        );
    }

    #[test]
    fn reversible_encryption_is_refused_by_its_name() {
        let errors = read("strategy: aes_encrypt").unwrap_err();
        assert!(errors[0].contains("reversible pseudonymisation"), "{errors:?}");
    }

    #[test]
    fn a_misspelt_strategy_or_parameter_is_refused_with_a_suggestion() {
        assert!(read("strategy: null_rewite").unwrap_err()[0].contains("did you mean `null_rewrite`?"));
        assert!(read("{strategy: hash, configuration: {algoritm: SHA-256}}").unwrap_err()[0].contains("did you mean `algorithm`?"));
        assert!(read("{strategy: hash, configuration: {algorithm: MD5}}").unwrap_err()[0].contains("known: SHA-256, SHA-512"));
        assert!(read("{strategy: string_rewrite, rewrite_value: x}").unwrap_err()[0].contains("stands under `configuration:`"));
    }

    #[test]
    fn a_rewrite_without_a_value_is_refused() {
        assert!(read("strategy: string_rewrite").unwrap_err()[0].contains("no `configuration.rewrite_value`"));
        assert!(read("{strategy: string_rewrite, configuration: {}}").is_err());
    }

    #[test]
    fn a_parameter_of_another_strategy_is_refused() {
        assert!(read("{strategy: null_rewrite, configuration: {length: 3}}").unwrap_err()[0].contains("unknown key `length`"));
    }

    #[test]
    fn deleting_is_said_on_the_collection() {
        assert!(read("strategy: delete").unwrap_err()[0].contains("on the collection"));
    }
}
