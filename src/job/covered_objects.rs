//! Which versions of objects a hold's scope covers at this moment: what the person's rows name, what a held row names, one object by its key, or
//! everything that a collection's templates could name. They are handed on page by page and only counted, so that memory does not grow with
//! them. What cannot be listed is said and never taken for nothing (V-2).

use std::collections::BTreeMap;

use futures_util::TryStreamExt;

use crate::connector::objects::{EntryKind, ObjectSource, StoreError, Stores, entries_of_key};
use crate::connector::objects::Entry;
use crate::connector::sql::text::count::Which;
use crate::connector::sql::{Reader, SqlSource};
use crate::datamap::{Graph, ObjectPlace};
use crate::deployment::Deployment;
use crate::gather::{Found, GatherError, Gathering, Named, Unreached};
use crate::hold::Scope;
use crate::ledger::LedgerError;

/// Somebody to whom covered versions are shown.
pub(super) trait Visitor {
    /// Whether anything in this store is of interest.
    fn wants(&self, store: &ObjectSource) -> bool;

    /// Takes some versions of one place. Words are a reason to show no more of it.
    async fn versions(&mut self, store: &ObjectSource, versions: &[Entry]) -> Result<Option<String>, LedgerError>;
}

/// Counts, and does nothing else.
pub(super) struct Counting;

impl Visitor for Counting {
    fn wants(&self, _store: &ObjectSource) -> bool {
        true
    }

    async fn versions(&mut self, _store: &ObjectSource, _versions: &[Entry]) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }
}

/// One place, looked at.
pub(super) struct Visited<'g> {
    pub place: &'g ObjectPlace,
    /// Versions that were shown.
    pub count: u64,
    /// Why these are not all.
    pub problem: Option<String>,
}

/// The stores, as far as they are open.
pub(super) struct OpenStores {
    pub stores: Stores,
    pub unreached: Vec<Unreached>,
}

impl OpenStores {
    /// Opens the stores that the map uses.
    pub(super) async fn of(deployment: &Deployment) -> OpenStores {
        let (stores, unreached) = deployment.open_stores().await;
        OpenStores { stores, unreached }
    }
}

/// How the objects of a place are found that a scope covers.
enum Way<'s> {
    /// By rows.
    Named,
    /// By the key.
    Key(&'s str),
    /// Whatever rows of anybody could name.
    All,
    /// They are not looked for; why.
    Unasked(&'static str),
}

/// None where the scope has nothing to do with the place.
fn way<'s>(graph: &Graph, place: &ObjectPlace, scope: &'s Scope) -> Option<Way<'s>> {
    let rows = &graph.nodes[place.rows.0];
    let is_set = scope.place() == Some((&place.dataset, &place.described_in)) && place.field.is_none();
    let is_of_rows = scope.place() == Some((&rows.dataset, &rows.collection));
    match scope {
        Scope::Subject(_) => Some(Way::Named),
        Scope::Record { key, .. } if is_set => key.first().map(|key| Way::Key(key)),
        Scope::Record { .. } if is_of_rows => Some(Way::Named),
        Scope::Collection { .. } if is_set || is_of_rows => Some(Way::All),
        Scope::Predicate { .. } if is_set || is_of_rows => {
            Some(Way::Unasked("which objects belong to rows of a condition is seen only when they are to be erased"))
        }
        Scope::Everything {} => Some(Way::Unasked("a hold on everything covers every object, and none is looked for")),
        Scope::Record { .. } | Scope::Collection { .. } | Scope::Predicate { .. } => None,
    }
}

/// Gathers the rows whose objects a scope covers; none where it does not depend on rows.
pub(super) async fn rows_of<'d>(
    deployment: &'d Deployment,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
) -> Result<Option<Gathering<'d>>, GatherError> {
    let graph = &deployment.graph;
    let is_needed = graph.objects.iter().any(|place| matches!(way(graph, place, scope), Some(Way::Named)));
    match (scope, scope.place().and_then(|(dataset, collection)| graph.node(dataset, collection))) {
        _ if !is_needed => Ok(None),
        (Scope::Subject(subject), _) => Gathering::run(graph, sources, unreached, subject, Reader::Work).await.map(Some),
        (Scope::Record { key, .. }, Some(node)) => Gathering::of_rows(graph, sources, node, Which::Key(key)).await.map(Some),
        _ => Ok(None),
    }
}

/// Shows every covered version to the visitor, place by place. Places with which the scope has nothing to do are left out.
pub(super) async fn visit<'d, V: Visitor>(
    deployment: &'d Deployment,
    scope: &Scope,
    open: &OpenStores,
    mut rows: Option<&mut Gathering<'_>>,
    visitor: &mut V,
) -> Result<Vec<Visited<'d>>, LedgerError> {
    let mut visited = Vec::new();
    for place in &deployment.graph.objects {
        let Some(way) = way(&deployment.graph, place, scope) else { continue };
        let mut looked = Visited { place, count: 0, problem: None };
        match (way, open.stores.get(&place.source)) {
            (Way::Unasked(why), _) => looked.problem = Some(why.to_owned()),
            (_, None) => {
                let gap = open.unreached.iter().find(|gap| gap.source == place.source);
                let why = gap.map_or("it is not configured", |gap| &gap.problem);
                looked.problem = Some(format!("source `{}` was not reached ({why})", place.source));
            }
            (_, Some(store)) if !visitor.wants(store) => continue,
            (way, Some(store)) => look(place, store, way, rows.as_deref_mut(), visitor, &mut looked).await?,
        }
        visited.push(looked);
    }
    Ok(visited)
}

async fn look<V: Visitor>(
    place: &ObjectPlace,
    store: &ObjectSource,
    way: Way<'_>,
    rows: Option<&mut Gathering<'_>>,
    visitor: &mut V,
    looked: &mut Visited<'_>,
) -> Result<(), LedgerError> {
    let failed = |problem: StoreError| format!("source `{}`: {problem}", store.name);
    match way {
        Way::Unasked(_) => {}
        Way::Key(key) => {
            let Some(key) = store.work.key_of(key) else { return Ok(()) };
            match entries_of_key(store.work.as_ref(), &key).await {
                Ok(entries) => show(entries, store, visitor, looked).await?,
                Err(problem) => looked.problem = Some(failed(problem)),
            }
        }
        Way::All => show_found(Found::begin_with_all(store.work.as_ref(), &place.locate), store, visitor, looked).await?,
        Way::Named => {
            let names = match names(place, rows).await {
                Ok(names) => names,
                Err(problem) => {
                    looked.problem = Some(problem);
                    return Ok(());
                }
            };
            for named in &names {
                show_found(Found::begin(store.work.as_ref(), &place.locate, named), store, visitor, looked).await?;
                if looked.problem.is_some() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// What the gathered rows name: few bytes each, read to their end, because no database likes to wait for a store in the middle.
async fn names(place: &ObjectPlace, rows: Option<&mut Gathering<'_>>) -> Result<Vec<Named>, String> {
    const UNREAD: &str = "the rows that name them were not read";
    let gathering = rows.ok_or(UNREAD)?;
    if gathering.snapshot_of(place.rows.0).is_none_or(|(_, snapshot)| snapshot.location(place.rows.0).is_none()) {
        return Err(UNREAD.to_owned());
    }
    let names = gathering.named(place, false, false).map_err(|error| error.to_string())?;
    names.try_collect().await.map_err(|error| error.to_string())
}

async fn show_found<V: Visitor>(
    mut found: Found<'_>,
    store: &ObjectSource,
    visitor: &mut V,
    looked: &mut Visited<'_>,
) -> Result<(), LedgerError> {
    while looked.problem.is_none() {
        match found.next().await {
            Ok(None) => break,
            Ok(Some(entries)) => show(entries, store, visitor, looked).await?,
            Err(problem) => looked.problem = Some(format!("source `{}`: {problem}", store.name)),
        }
    }
    Ok(())
}

/// Delete markers and unfinished uploads hold nothing that a hold is for, and stores lock neither.
async fn show<V: Visitor>(
    mut entries: Vec<Entry>,
    store: &ObjectSource,
    visitor: &mut V,
    looked: &mut Visited<'_>,
) -> Result<(), LedgerError> {
    entries.retain(|entry| entry.kind == EntryKind::Version);
    looked.count += entries.len() as u64;
    if !entries.is_empty() {
        looked.problem = visitor.versions(store, &entries).await?;
    }
    Ok(())
}
