//! Who is meant: each identifier is looked up, bytewise, in every collection that knows its kind (I-1). A collection whose key other
//! collections refer to stands for people: there an identifier may name one record only, and all identifiers must agree on it.

use super::Gathering;
use super::names::names_of;
use super::traverse::GatherError;
use crate::connector::sql::Snapshot;
use crate::connector::sql::text::{Statement, reach};
use crate::datamap::{Graph, IdentityField, Names, Node};
use crate::subject::{Identifier, Subject};

/// Other names taken from the named records, at most, per column.
const ALIASES_PER_COLUMN: i64 = 100;

/// Names learned from the named people may name further records, which may know further names; more rounds than this nobody needs.
const MOST_ROUNDS: usize = 5;

impl Gathering<'_> {
    /// Looks the given identifiers up, then the names that the people so named have in their own rows, until no new name is learned. Names
    /// in other rows (a second address in a ticket) may be somebody else's: holds and lanes know them, the search does not follow them. Nor
    /// does it follow a name of theirs that another person's record has too: whose the rows are that it names, nobody knows.
    pub(super) async fn resolve(&mut self, subject: &Subject) -> Result<(), GatherError> {
        for _ in 0..MOST_ROUNDS {
            let mut followed = Vec::new();
            for name in self.look_up(subject).await? {
                if self.names_somebody_else(&name).await? {
                    self.set_aside.push(name);
                } else {
                    followed.push(name);
                }
            }
            if followed.is_empty() {
                break;
            }
            self.person.extend(followed);
        }
        self.aliases.extend(self.person.iter().cloned());
        self.aliases.sort();
        self.aliases.dedup();
        Ok(())
    }

    /// One round over all collections that know identities; names of the person that were not known before.
    async fn look_up(&mut self, subject: &Subject) -> Result<Vec<Identifier>, GatherError> {
        let graph = self.graph;
        let mut learned = Vec::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            if node.identities.is_empty() {
                continue;
            }
            let Some(snapshot) = self.snapshots.get_mut(&node.source) else { continue };
            let failed = |problem| GatherError::Source { source_name: node.source.clone(), problem };
            let stands_for_people = stands_for_people(graph, at, snapshot);
            for identifier in &self.person {
                let mut named = 0;
                for field in of_kind(node, &identifier.kind) {
                    named += snapshot.seed(at, field, identifier.expose()).await.map_err(failed)?;
                }
                if stands_for_people && named > 1 {
                    return Err(GatherError::Ambiguous {
                        kind: identifier.kind.clone(),
                        collection: full_name(node),
                        people: named,
                    });
                }
            }
            if stands_for_people {
                refuse_contradictions(snapshot, at, node, subject).await?;
            }
            let names = other_names(snapshot, graph, at, subject).await?;
            if stands_for_people {
                let is_known = |name: &Identifier| self.person.contains(name) || self.set_aside.contains(name);
                let own = names.iter().filter(|name| name.is_followed).map(|name| &name.name);
                learned.extend(own.filter(|name| !is_known(name)).cloned());
            }
            self.aliases.extend(names.into_iter().map(|name| name.name));
        }
        learned.sort();
        learned.dedup();
        Ok(learned)
    }
}

impl Gathering<'_> {
    /// Whether a name, learned from the person's own record, stands in another person's record as well.
    async fn names_somebody_else(&mut self, name: &Identifier) -> Result<bool, GatherError> {
        let graph = self.graph;
        for (at, node) in graph.nodes.iter().enumerate() {
            let fields: Vec<&IdentityField> = of_kind(node, &name.kind).collect();
            let Some(snapshot) = self.snapshots.get_mut(&node.source) else { continue };
            if fields.is_empty() || !stands_for_people(graph, at, snapshot) {
                continue;
            }
            let Some(location) = snapshot.location(at).cloned() else { continue };
            let dialect = snapshot.dialect;
            let named = count(snapshot, node, reach::named(&location, &fields, name.expose(), false, dialect)).await?;
            let ours = count(snapshot, node, reach::named(&location, &fields, name.expose(), true, dialect)).await?;
            let has_record = count(snapshot, node, Statement::from(reach::seeded_count(&location))).await? > 0;
            if named > 1 || has_record && named > ours {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn of_kind<'n>(node: &'n Node, kind: &'n str) -> impl Iterator<Item = &'n IdentityField> {
    node.identities.iter().filter(move |field| field.kind == kind)
}

fn full_name(node: &Node) -> String {
    format!("{}.{}", node.dataset, node.collection)
}

/// Whether the collection's rows are people.
pub(super) fn stands_for_people(graph: &Graph, at: usize, snapshot: &Snapshot) -> bool {
    snapshot.location(at).is_some_and(|location| names_of(graph, at, &location.table) == Names::Account)
}

async fn refuse_contradictions(snapshot: &mut Snapshot, at: usize, node: &Node, subject: &Subject) -> Result<(), GatherError> {
    for identifier in subject.identifiers() {
        let fields: Vec<&IdentityField> = of_kind(node, &identifier.kind).collect();
        if fields.is_empty() {
            continue;
        }
        let Some(location) = snapshot.location(at) else { return Ok(()) };
        let statement = reach::contradictions(location, &fields, identifier.expose(), snapshot.dialect);
        let contradicting = count(snapshot, node, statement).await?;
        if contradicting > 0 {
            return Err(GatherError::Contradiction { kind: identifier.kind.clone(), collection: full_name(node) });
        }
    }
    // Two identifiers, two different records, and neither speaks against the other: still two people.
    let Some(location) = snapshot.location(at) else { return Ok(()) };
    let statement = Statement::from(reach::seeded_count(location));
    let people = count(snapshot, node, statement).await?;
    if people > 1 {
        let kind = node.identities.first().map(|field| field.kind.clone()).unwrap_or_default();
        return Err(GatherError::Ambiguous { kind, collection: full_name(node), people });
    }
    Ok(())
}

pub(super) async fn count(snapshot: &mut Snapshot, node: &Node, statement: Statement) -> Result<u64, GatherError> {
    snapshot.count(statement).await.map_err(|problem| GatherError::Source { source_name: node.source.clone(), problem })
}

/// A name in a row that an identifier has found.
struct OtherName {
    name: Identifier,
    /// Whether it is of a kind that the request did not give and stands alone in its place: JSON may hold the names of several people.
    is_followed: bool,
}

/// Identity values of kinds that the request did not give, from the records that it names. They name the person for holds and lanes. The
/// search follows those from a person's own record; a second address in a ticket may be somebody else's. Where all identifiers of a row are one
/// person's, a second one of a given kind names them for holds as well (H-1).
async fn other_names(snapshot: &mut Snapshot, graph: &Graph, at: usize, subject: &Subject) -> Result<Vec<OtherName>, GatherError> {
    let node = &graph.nodes[at];
    let mut names = Vec::new();
    let all_are_theirs = snapshot.location(at).is_some_and(|location| names_of(graph, at, &location.table) != Names::Several);
    for field in &node.identities {
        let is_given = subject.of_kind(&field.kind).is_some();
        if is_given && !all_are_theirs {
            continue;
        }
        let Some(location) = snapshot.location(at) else { continue };
        let statement = reach::aliases(location, field, ALIASES_PER_COLUMN, snapshot.dialect);
        let failed = |problem| GatherError::Source { source_name: node.source.clone(), problem };
        for record in snapshot.list(statement).await.map_err(failed)? {
            let name = Identifier::new(&field.kind, record.text("value").map_err(failed)?);
            let is_single = record.int("single").map_err(failed)? == 1;
            if !is_given || is_single {
                names.push(OtherName { name, is_followed: is_single && !is_given });
            }
        }
    }
    Ok(names)
}
