//! Pieces of a map for people to paste, as findings and gaps suggest them: names are written so that YAML reads them back as they are.

/// A name as a YAML scalar: plain where that is safe, else in quotes.
pub fn yaml_name(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
        && !matches!(name.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    // JSON is YAML.
    if is_plain { name.to_owned() } else { serde_json::Value::String(name.to_owned()).to_string() }
}

/// A field with a reference to another collection, one line for each column of the key.
pub fn reference_fields(pairs: &[(&str, &str)], dataset: &str, collection: &str, habeas: &str) -> String {
    let edge = (pairs.len() > 1).then(|| format!("edge: {}", yaml_name(collection)));
    let habeas =
        [Some(habeas.to_owned()).filter(|text| !text.is_empty()), edge].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let habeas = if habeas.is_empty() { String::new() } else { format!(", habeas: {{{habeas}}}") };
    let line = |(own, other): &(&str, &str)| {
        let target = yaml_name(&format!("{collection}.{other}"));
        format!(
            "- {{name: {}, fides_meta: {{references: [{{dataset: {dataset}, field: {target}, direction: from}}]}}{habeas}}}",
            yaml_name(own)
        )
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_yaml_would_read_otherwise_are_quoted() {
        for (name, text) in [
            ("user_id", "user_id"),
            ("no", "\"no\""),
            ("1st", "\"1st\""),
            ("a: b", "\"a: b\""),
            ("Größe", "\"Größe\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ] {
            assert_eq!(yaml_name(name), text);
        }
    }

    #[test]
    fn a_composite_key_is_one_edge() {
        let text = reference_fields(&[("t", "tenant"), ("n", "no")], "app", "users", "");
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.ends_with("habeas: {edge: users}}")), "{text}");
        assert!(
            reference_fields(&[("u", "id")], "app", "users", "right: none").ends_with("direction: from}]}, habeas: {right: none}}")
        );
    }
}
