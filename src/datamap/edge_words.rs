//! Reads what `habeas:` says about the references of a field: of all of them in common (`right`, `hide`, `on_erasure`, `edge`, `where`), or of
//! one of them under `references:`, by what it refers to. Of one reference counts what is said of it, and otherwise what is said in common.
//! Whether the fields of a composite edge fit together is asked in `check.rs`.

use super::reader::{Keys, Object, Reader};
use super::taxonomy::did_you_mean;
use super::tree::{Node, Value};
use super::{EdgeWords, Field, Right};

/// Field keys that say something about the field's references.
pub(super) const EDGE_KEYS: [&str; 5] = ["right", "hide", "on_erasure", "edge", "where"];

const ONE_REFERENCE: Keys = Keys { known: &EDGE_KEYS, elsewhere: &[] };
const RIGHTS: [(&str, Right); 3] = [("owns", Right::Owns), ("accesses", Right::Accesses), ("none", Right::None)];
const UNLINK: [(&str, ()); 1] = [("unlink", ())];

impl Reader {
    /// Gives every reference of a field its words.
    pub(super) fn edge_words(&mut self, habeas: Object<'_>, field: &mut Field) {
        let common = self.words(habeas);
        for reference in &mut field.references {
            reference.words = common.clone();
        }
        let Some(by_target) = habeas.get("references") else { return };
        let Value::Map(entries) = &by_target.value else {
            self.wrong_type(habeas, "references", by_target, "a map from `collection.field` to what is said of it", None);
            return;
        };
        for entry in entries {
            let what = format!("`references.{}`", entry.key);
            let Some(object) = self.object(&entry.node, &what, &ONE_REFERENCE) else { continue };
            let own = self.words(object);
            let names = |reference: &super::Reference| format!("{}.{}", reference.collection, reference.field);
            let meant: Vec<usize> = (0..field.references.len()).filter(|at| names(&field.references[*at]) == entry.key).collect();
            if meant.is_empty() {
                let known: Vec<String> = field.references.iter().map(names).collect();
                let hint = did_you_mean(&entry.key, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("its references: {}", known.join(", ")));
                self.error(entry.line, format!("{what} is not among the references of the field"), Some(hint));
            }
            for at in meant {
                field.references[at].words = overriding(&common, &own, object);
            }
        }
    }

    fn words(&mut self, object: Object<'_>) -> EdgeWords {
        EdgeWords {
            right: self.word(object, "right", &RIGHTS),
            hide: self.texts(object, "hide"),
            unlink: self.word(object, "on_erasure", &UNLINK).is_some(),
            edges: self.edge_names(object),
            r#where: self.predicate(object, "where"),
        }
    }

    /// One name, or a list where a column is part of several keys.
    fn edge_names(&mut self, object: Object<'_>) -> Vec<String> {
        match object.get("edge") {
            None => Vec::new(),
            Some(Node { value: Value::List(_), .. }) => self.texts(object, "edge"),
            Some(_) => self.required_text(object, "edge").into_iter().collect(),
        }
    }
}

fn overriding(common: &EdgeWords, own: &EdgeWords, object: Object<'_>) -> EdgeWords {
    let says = |key: &str| object.get(key).is_some();
    EdgeWords {
        right: if says("right") { own.right } else { common.right },
        hide: if says("hide") { own.hide.clone() } else { common.hide.clone() },
        unlink: if says("on_erasure") { own.unlink } else { common.unlink },
        edges: if says("edge") { own.edges.clone() } else { common.edges.clone() },
        r#where: if says("where") { own.r#where.clone() } else { common.r#where.clone() },
    }
}
