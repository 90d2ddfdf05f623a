//! Which tables are about people themselves: named like people, with an address of mail, a login, a password, a name, and a key by which
//! other tables refer to them. A weight from 0 to 1, not a yes or no: the best of several is where roles lead.

use super::entity::Entity;
use super::shape::Shape;
use super::vocabulary::{PEOPLE, STAFF, has};
use super::words::{canonical, words};

/// From here on, a table is taken for one of people.
pub const SUBJECT: f64 = 0.6;

/// How much a table looks like one of people.
pub fn weight(entity: &Entity<'_>, entities: &[Entity<'_>]) -> f64 {
    // The number of a person may be one of several parts of a key: the tenant, the region before it.
    let key = entity.home_key();
    if key.is_none() && entity.table.primary_key.is_empty() {
        return 0.0;
    }
    let named = entity.name.iter().any(|word| has(&PEOPLE, word)) && entity.name.len() <= 2
        || entity.name.len() == 1 && entity.name.first().is_some_and(|word| has(&PEOPLE, word));
    let has_column = |wanted: &dyn Fn(&[String]) -> bool| {
        entity.table.columns.iter().any(|column| {
            let parts: Vec<String> = words(&column.name).iter().map(|word| canonical(word)).collect();
            wanted(&parts)
        })
    };
    let says = |parts: &[String], one_of: &[&str]| parts.last().is_some_and(|word| has(one_of, word));
    let mail = has_column(&|parts| says(parts, &["email", "mail"])) || any_shape(entity, Shape::Email);
    let login = has_column(&|parts| says(parts, &["login", "username", "nickname", "nicename"]));
    let password = has_column(&|parts| says(parts, &["password", "passwd", "pass", "hash"]) && !says(parts, &["forum"]));
    let name = has_column(&|parts| says(parts, &["firstname", "lastname", "surname", "fullname"]) || is_name_of_a_person(parts));
    let mut weight = 0.0;
    weight += if named { 0.35 } else { 0.0 };
    weight += if mail { 0.25 } else { 0.0 };
    weight += if login { 0.15 } else { 0.0 };
    weight += if password { 0.2 } else { 0.0 };
    weight += if name { 0.15 } else { 0.0 };
    // A key that is named after the rows of another table makes this an extension of that.
    if key.is_some_and(|key| !entity.is_own_number(key, entities)) {
        weight *= 0.5;
    }
    if !(named || password && (mail || login)) {
        weight *= 0.5;
    }
    f64::min(weight, 1.0)
}

/// Whether the people of a table work for the company.
pub fn is_staff(entity: &Entity<'_>) -> bool {
    entity.name.iter().any(|word| has(&STAFF, word))
}

fn any_shape(entity: &Entity<'_>, shape: Shape) -> bool {
    entity.profile.columns.iter().any(|column| column.share_of(shape) > 0.8)
}

fn is_name_of_a_person(parts: &[String]) -> bool {
    let [.., before, last] = parts else { return false };
    last == "name" && has(&["first", "last", "full", "given", "family", "display"], before)
}
