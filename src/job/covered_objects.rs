//! Which versions of objects a hold's scope covers at this moment: what the person's rows name, what a held row names, one object by its key, or
//! everything that a collection's templates could name. They are handed on page by page and only counted, so that memory does not grow with
//! them. What cannot be listed is said and never taken for nothing (V-2).

use std::collections::BTreeMap;

use futures_util::TryStreamExt;

use crate::connector::objects::{Entry, EntryKind, ObjectSource, StoreError, Stores, entries_of_key};
use crate::connector::sql::text::count::Which;
use crate::connector::sql::{Reader, SqlSource};
use crate::datamap::{Graph, ObjectPlace};
use crate::deployment::Deployment;
use crate::gather::{Found, GatherError, Gathering, Named, Unreached};
use crate::hold::Scope;
use crate::ledger::LedgerError;

const UNREAD: &str = "the rows that name them were not read";

/// Somebody to whom covered versions are shown.
pub(super) trait Visitor {
    /// Whether anything in this store is of interest; words where that cannot be known.
    fn wants(&self, store: &ObjectSource) -> Result<bool, String>;

    /// Takes some versions of one place. Words are a reason to show no more of it.
    async fn versions(&mut self, store: &ObjectSource, versions: &[Entry]) -> Result<Option<String>, LedgerError>;
}

/// Counts, and does nothing else.
pub(super) struct Counting;

impl Visitor for Counting {
    fn wants(&self, _store: &ObjectSource) -> Result<bool, String> {
        Ok(true)
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

/// What rows name at each place, in the order of the places; none where a scope does not ask rows. Few bytes each, and read to their end before
/// a store is asked: no database likes to wait for one in the middle.
pub(super) type Names = Vec<Option<Result<Vec<Named>, String>>>;

/// Gathers the rows whose objects a scope covers, and reads what they name.
pub(super) async fn names_of(
    deployment: &Deployment,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
) -> Result<Names, GatherError> {
    let graph = &deployment.graph;
    let is_needed = graph.objects.iter().any(|place| matches!(way(graph, place, scope), Some(Way::Named)));
    let mut gathering = match (scope, scope.place().and_then(|(dataset, collection)| graph.node(dataset, collection))) {
        _ if !is_needed => return Ok(Names::new()),
        (Scope::Subject(subject), _) => Gathering::run(graph, sources, unreached, subject, Reader::Work).await?,
        (Scope::Record { key, .. }, Some(node)) => Gathering::of_rows(graph, sources, node, Which::Key(key)).await?,
        _ => return Ok(Names::new()),
    };
    let names = read_names(deployment, scope, &mut gathering).await;
    end(gathering).await;
    Ok(names)
}

/// What gathered rows name.
pub(super) async fn read_names(deployment: &Deployment, scope: &Scope, gathering: &mut Gathering<'_>) -> Names {
    let graph = &deployment.graph;
    let mut all = Names::new();
    for place in &graph.objects {
        all.push(match way(graph, place, scope) {
            Some(Way::Named) => Some(names_at(place, gathering).await),
            _ => None,
        });
    }
    all
}

async fn names_at(place: &ObjectPlace, gathering: &mut Gathering<'_>) -> Result<Vec<Named>, String> {
    if gathering.snapshot_of(place.rows.0).is_none_or(|(_, snapshot)| snapshot.location(place.rows.0).is_none()) {
        return Err(UNREAD.to_owned());
    }
    let names = gathering.named(place, false, false).map_err(|error| error.to_string())?;
    names.try_collect().await.map_err(|error| error.to_string())
}

/// Ends the snapshots of a gathering that only read.
pub(super) async fn end(gathering: Gathering<'_>) {
    if let Err(error) = gathering.close().await {
        tracing::debug!(%error, "a snapshot did not end cleanly");
    }
}

/// Shows every covered version to the visitor, place by place. Places with which the scope has nothing to do are left out.
pub(super) async fn visit<'d, V: Visitor>(
    deployment: &'d Deployment,
    scope: &Scope,
    open: &OpenStores,
    names: &Names,
    visitor: &mut V,
) -> Result<Vec<Visited<'d>>, LedgerError> {
    let mut visited = Vec::new();
    for (at, place) in deployment.graph.objects.iter().enumerate() {
        let Some(way) = way(&deployment.graph, place, scope) else { continue };
        let mut looked = Visited { place, count: 0, problem: None };
        match open.stores.get(&place.source) {
            None => {
                let gap = open.unreached.iter().find(|gap| gap.source == place.source);
                let why = gap.map_or("it is not configured", |gap| &gap.problem);
                looked.problem = Some(format!("source `{}` was not reached ({why})", place.source));
            }
            Some(store) => match visitor.wants(store) {
                Ok(false) => continue,
                Ok(true) => look(place, store, way, names.get(at).and_then(Option::as_ref), visitor, &mut looked).await?,
                Err(why) => looked.problem = Some(why),
            },
        }
        visited.push(looked);
    }
    Ok(visited)
}

async fn look<V: Visitor>(
    place: &ObjectPlace,
    store: &ObjectSource,
    way: Way<'_>,
    names: Option<&Result<Vec<Named>, String>>,
    visitor: &mut V,
    looked: &mut Visited<'_>,
) -> Result<(), LedgerError> {
    match (way, names) {
        (Way::Unasked(why), _) => looked.problem = Some(why.to_owned()),
        (Way::Key(key), _) => {
            let Some(key) = store.work.key_of(key) else { return Ok(()) };
            match entries_of_key(store.work.as_ref(), &key).await {
                Ok(entries) => show(entries, store, visitor, looked).await?,
                Err(problem) => looked.problem = Some(said(store, &problem)),
            }
        }
        (Way::All, _) => show_found(Found::begin_with_all(store.work.as_ref(), &place.locate), store, visitor, looked).await?,
        (Way::Named, None) => looked.problem = Some(UNREAD.to_owned()),
        (Way::Named, Some(Err(why))) => looked.problem = Some(why.clone()),
        (Way::Named, Some(Ok(names))) => {
            for named in names {
                show_found(Found::begin(store.work.as_ref(), &place.locate, named), store, visitor, looked).await?;
                if looked.problem.is_some() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// A store's problem, with its name.
pub(super) fn said(store: &ObjectSource, problem: &StoreError) -> String {
    format!("source `{}`: {problem}", store.name)
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
            Err(problem) => looked.problem = Some(said(store, &problem)),
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
