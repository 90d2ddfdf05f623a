//! Rows out of columns (Dremel): the values of a row with their definition and repetition levels become one JSON object. Lists become
//! arrays without the groups that the format wraps them in; maps become arrays of `{"key": …, "value": …}`, because keys may come twice and
//! need not be texts.

use parquet::basic::Repetition;
use parquet::schema::types::Type;

use super::leaf::{is_list, is_map, list_element};
use super::value::text;

/// One entry of a column: levels, and the value as JSON if it is there.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) definition: i16,
    pub(super) repetition: i16,
    pub(super) value: Option<String>,
}

/// All entries of a column, in order, and how far they are used up.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) entries: Vec<Entry>,
    at: usize,
}

/// Takes rows off the fronts of all columns.
pub(super) struct Assembly<'c> {
    pub(super) columns: &'c mut [Column],
}

/// How deep a place is: the levels of what is above it, and its first column.
#[derive(Clone, Copy)]
struct Place {
    definition: i16,
    repetition: i16,
    column: usize,
}

/// `None` when the levels contradict the schema.
type Assembled = Option<()>;

impl Assembly<'_> {
    /// The next row as a JSON object.
    pub(super) fn row(&mut self, schema: &Type) -> Option<String> {
        let mut out = String::new();
        self.group(schema, Place { definition: 0, repetition: 0, column: 0 }, &mut out)?;
        Some(out)
    }

    /// `{…}` of all children.
    fn group(&mut self, group: &Type, place: Place, out: &mut String) -> Assembled {
        out.push('{');
        let mut column = place.column;
        for (number, child) in group.get_fields().iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            out.push_str(&text(child.name()));
            out.push(':');
            self.node(child, Place { column, ..place }, out)?;
            column += width(child);
        }
        out.push('}');
        Some(())
    }

    /// A field with its own repetition: null, an array, or its content.
    fn node(&mut self, node: &Type, place: Place, out: &mut String) -> Assembled {
        match node.get_basic_info().repetition() {
            Repetition::REQUIRED => self.content(node, place, out),
            Repetition::OPTIONAL => {
                let place = Place { definition: place.definition + 1, ..place };
                if self.front(place.column)?.definition < place.definition {
                    out.push_str("null");
                    return self.pass(node, place.column);
                }
                self.content(node, place, out)
            }
            Repetition::REPEATED => self.repeated(node, place, out, |assembly, place, out| assembly.content(node, place, out)),
        }
    }

    /// A repeated node as an array.
    fn repeated(
        &mut self,
        node: &Type,
        place: Place,
        out: &mut String,
        mut element: impl FnMut(&mut Self, Place, &mut String) -> Assembled,
    ) -> Assembled {
        let inside = Place { definition: place.definition + 1, repetition: place.repetition + 1, column: place.column };
        out.push('[');
        if self.front(place.column)?.definition < inside.definition {
            self.pass(node, place.column)?;
        } else {
            loop {
                element(self, inside, out)?;
                let goes_on = self.columns.get(place.column)?.next().is_some_and(|next| next.repetition == inside.repetition);
                if !goes_on {
                    break;
                }
                out.push(',');
            }
        }
        out.push(']');
        Some(())
    }

    /// What is there, its repetition aside.
    fn content(&mut self, node: &Type, place: Place, out: &mut String) -> Assembled {
        if node.is_primitive() {
            let entry = self.take(place.column)?;
            out.push_str(entry.value.as_deref()?);
            return Some(());
        }
        if is_list(node)
            && let Some((element, is_wrapped)) = list_element(node)
        {
            let repeated = node.get_fields().first()?;
            return self.repeated(repeated, place, out, |assembly, place, out| {
                if is_wrapped { assembly.node(element, place, out) } else { assembly.content(element, place, out) }
            });
        }
        if is_map(node)
            && let [pairs] = node.get_fields()
            && pairs.get_basic_info().repetition() == Repetition::REPEATED
        {
            return self.node(pairs, place, out);
        }
        self.group(node, place, out)
    }

    fn front(&self, column: usize) -> Option<&Entry> {
        self.columns.get(column)?.next()
    }

    fn take(&mut self, column: usize) -> Option<Entry> {
        let column = self.columns.get_mut(column)?;
        let entry = column.entries.get_mut(column.at)?;
        column.at += 1;
        Some(Entry { value: entry.value.take(), ..*entry })
    }

    /// Uses up the one entry that each column below a null or an empty list has.
    fn pass(&mut self, node: &Type, column: usize) -> Assembled {
        (column..column + width(node)).try_for_each(|column| self.take(column).map(|_| ()))
    }
}

impl Column {
    fn next(&self) -> Option<&Entry> {
        self.entries.get(self.at)
    }

    /// Whether every entry was used.
    pub(super) fn is_used_up(&self) -> bool {
        self.at == self.entries.len()
    }
}

/// How many columns a node has.
fn width(node: &Type) -> usize {
    if node.is_primitive() { 1 } else { node.get_fields().iter().map(|child| width(child)).sum() }
}
