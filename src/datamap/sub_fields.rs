//! What makes no sense inside a JSON column, as far as the map alone shows it: a value that would be overwritten twice, a text written where
//! the map says that there is none, pseudonyms that nobody sees because they are nested.

use super::{Code, Collection, Field, Finding, Masking, Node, OnErasure, Severity};

/// Findings about the sub-fields of a collection.
pub(super) fn findings(node: &Node, collection: &Collection) -> Vec<Finding> {
    let mut findings = Vec::new();
    let masks_by_map = collection.on_erasure == Some(OnErasure::Mask);
    for field in &collection.fields {
        look_inside(&format!("{}.{}", node.name(), field.name), field, None, masks_by_map, &mut findings);
    }
    findings
}

fn look_inside(name: &str, field: &Field, above: Option<&str>, masks_by_map: bool, findings: &mut Vec<Finding>) {
    for sub in &field.fields {
        let sub_name = format!("{name}.{}", sub.name);
        let masked_above = field.mask.as_ref().filter(|mask| **mask != Masking::Preserve).map(|_| name).or(above);
        if let Some(mask) = sub.mask.as_ref().filter(|mask| **mask != Masking::Preserve) {
            findings.extend(masked_above.map(|above| masked_twice(&sub_name, sub, above, masks_by_map)));
            findings.extend(text_where_none_is(&sub_name, sub, mask));
            findings.extend(mask.is_pseudonymisation().then(|| pseudonym(&sub_name, sub, mask)));
        }
        look_inside(&sub_name, sub, masked_above, masks_by_map, findings);
    }
}

fn masked_twice(subject: &str, field: &Field, above: &str, masks_by_map: bool) -> Finding {
    Finding {
        // A policy may touch the one and not the other.
        severity: if masks_by_map { Severity::Error } else { Severity::Warning },
        code: Code::MaskedTwice,
        place: Some(field.place.clone()),
        subject: subject.to_owned(),
        problem: format!("it has a masking strategy, and so has `{above}` around it"),
        why: "the object is overwritten as a whole, so that the strategy inside it never comes to pass".into(),
        hint: "keep one of the two; to leave a part of the object as it is, write `strategy: preserve` or `read_only: true` on that part"
            .into(),
        write: None,
    }
}

fn text_where_none_is(subject: &str, field: &Field, mask: &Masking) -> Option<Finding> {
    let declared = field.data_type.as_deref()?;
    let base = declared.strip_suffix("[]").unwrap_or(declared);
    if *mask == Masking::NullRewrite || matches!(base, "string" | "object_id") {
        return None;
    }
    Some(Finding {
        severity: Severity::Error,
        code: Code::MaskType,
        place: Some(field.place.clone()),
        subject: subject.to_owned(),
        problem: format!("`{}` writes text, and the map says that this is `{declared}`", mask.name()),
        why: "JSON takes any value, but the application that reads it may not".into(),
        hint: "write `strategy: null_rewrite`, or `data_type: string` if the value is text".into(),
        write: None,
    })
}

fn pseudonym(subject: &str, field: &Field, mask: &Masking) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: Code::PseudonymisedField,
        place: Some(field.place.clone()),
        subject: subject.to_owned(),
        problem: format!("`{}` is pseudonymisation, not erasure", mask.name()),
        why:
            "what it writes can be tied to the person again with a kept key or by guessing (Art. 4(5)); the certificate will say so"
                .into(),
        hint: "use `null_rewrite` or `random_string_rewrite`, or delete the row".into(),
        write: None,
    }
}
