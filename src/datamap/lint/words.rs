//! Words of the map that are free text to its reader and mean something to the law: the legal basis.

use crate::datamap::{Code, Collection, Finding, Node, Severity, legal_bases, legal_basis_words, suggest_legal_basis};

pub(super) fn legal_basis(node: &Node, collection: &Collection) -> Vec<Finding> {
    let text = collection.legal_basis.as_deref().unwrap_or_default();
    legal_bases(text).filter(|part| legal_basis_words(part).is_none()).map(|part| unknown(node, collection, part)).collect()
}

fn unknown(node: &Node, collection: &Collection, part: &str) -> Finding {
    let suggestion = suggest_legal_basis(part);
    Finding {
        severity: Severity::Warning,
        code: Code::UnknownLegalBasis,
        place: Some(collection.place.clone()),
        subject: node.name(),
        problem: format!("`legal_basis: {part}` is no code of Art. 6 or 9"),
        why: "it stands in archives and in the register as it is, and does not count where consent or contract decide (Art. 20)"
            .into(),
        hint: match suggestion {
            Some(code) => format!("did you mean `{code}`, {}?", legal_basis_words(code).unwrap_or_default()),
            None => "write art6_1_a to art6_1_f, for special categories art9_2_a to art9_2_j as well, several with commas".into(),
        },
        write: suggestion.map(|code| format!("habeas: {{legal_basis: {code}}}")),
    }
}
