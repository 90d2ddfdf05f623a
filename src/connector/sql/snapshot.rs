//! One consistent view of a source: a session with a snapshot transaction and the temporary tables of the traversal. It reads, and writes
//! nothing but those; dropping it ends the session and everything in it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::BoxStream;

use super::carry::carry;
use super::text::{Statement, cut, fate, probe, reach, read};
use super::{CutTally, Inbound, Location, SqlSource, inbound_keys, mapped_references};
use crate::args;
use crate::datamap::{Edge, Graph, IdentityField, NodeId};
use crate::db::{Conn, DbError, Dialect, Record};

/// Which of a source's two pools a snapshot comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The one that gathers and erases.
    Work,
    /// The one that verifies.
    Verify,
}

/// A snapshot of one source.
pub struct Snapshot {
    conn: Conn,
    /// Which SQL the source speaks.
    pub dialect: Dialect,
    /// Mapped collections of the source by node.
    pub locations: BTreeMap<usize, Location>,
    /// Foreign keys onto them.
    pub inbound: Vec<Inbound>,
    declared_keys: usize,
    /// Locations whose temporary table has rows, and with them its index.
    filled: BTreeSet<usize>,
    is_decided: bool,
    /// What fixes the snapshot, for `completeness.json`: a WAL position, or the database's own counter.
    pub description: String,
}

impl Snapshot {
    /// Opens a snapshot and its temporary tables. Collections whose table is missing have no location; the lint says so.
    pub async fn open(source: &SqlSource, reader: Reader, graph: &Graph) -> Result<Snapshot, DbError> {
        let mut conn = match reader {
            Reader::Work => source.work_session().await?,
            Reader::Verify => source.verify_session().await?,
        };
        let dialect = source.dialect();
        // MySQL's temporary tables are made before its transaction: where changes are numbered for replicas, they must be.
        let mut description = match dialect {
            Dialect::MySql => String::new(),
            Dialect::Postgres | Dialect::Sqlite => begin(&mut conn, dialect).await?,
        };
        let mut locations = BTreeMap::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            if node.source != source.name {
                continue;
            }
            let Some(table) = source.catalogue.find(node.schema.as_deref(), &node.collection) else { continue };
            let location = Location::new(NodeId(at), &node.dataset, &node.collection, table);
            conn.on().execute_script(reach::create(&location, dialect)).await?;
            locations.insert(at, location);
        }
        if dialect == Dialect::MySql {
            description = begin(&mut conn, dialect).await?;
        }
        let listed: Vec<Location> = locations.values().cloned().collect();
        let mut inbound = inbound_keys(&source.catalogue, &listed);
        let declared_keys = inbound.len();
        inbound.extend(mapped_references(graph, &listed, &inbound));
        let (filled, is_decided) = (BTreeSet::new(), false);
        Ok(Snapshot { conn, dialect, locations, inbound, declared_keys, filled, is_decided, description })
    }

    /// References that only the map knows (see [`mapped_references`]); the database checks the others itself.
    pub fn mapped_references(&self) -> &[Inbound] {
        &self.inbound[self.declared_keys..]
    }

    /// References that the database knows and acts upon.
    pub fn declared_references(&self) -> &[Inbound] {
        &self.inbound[..self.declared_keys]
    }

    /// The location of a node, if its table exists here.
    pub fn location(&self, node: usize) -> Option<&Location> {
        self.locations.get(&node)
    }

    /// Whether any row of a location may have been reached. Where none was, there is nothing to ask the server.
    pub fn is_reached(&self, node: usize) -> bool {
        self.filled.contains(&node)
    }

    /// Runs a statement; rows changed.
    pub async fn run(&mut self, statement: Statement) -> Result<u64, DbError> {
        self.prepare(&statement).await?;
        if let Some(then) = statement.then.clone() {
            return carry(&mut self.conn, statement, &then).await;
        }
        self.conn.on().execute(statement.sql, statement.args).await
    }

    /// Runs a statement that yields one number `n`.
    pub async fn count(&mut self, statement: Statement) -> Result<u64, DbError> {
        self.prepare(&statement).await?;
        let record = self.conn.on().fetch_one(statement.sql, statement.args).await?;
        Ok(u64::try_from(record.int("n")?).unwrap_or(0))
    }

    /// The same for a statement that the source may refuse: a refusal leaves the snapshot as it was.
    pub async fn try_count(&mut self, statement: Statement) -> Result<Result<u64, DbError>, DbError> {
        let is_undone_by_errors = self.dialect == Dialect::Postgres;
        if is_undone_by_errors {
            self.conn.on().execute("SAVEPOINT habeas_try", args![]).await?;
        }
        let counted = self.count(statement).await;
        if is_undone_by_errors {
            let end = if counted.is_ok() { "RELEASE SAVEPOINT habeas_try" } else { "ROLLBACK TO SAVEPOINT habeas_try" };
            self.conn.on().execute(end, args![]).await?;
        }
        match counted {
            Err(problem) if !problem.is_answer() && !matches!(problem, DbError::Denied(_)) => Err(problem),
            answered => Ok(answered),
        }
    }

    /// Runs a statement whose result is small.
    pub async fn list(&mut self, statement: Statement) -> Result<Vec<Record>, DbError> {
        self.prepare(&statement).await?;
        self.conn.on().fetch_all(statement.sql, statement.args).await
    }

    async fn prepare(&mut self, statement: &Statement) -> Result<(), DbError> {
        match &statement.before {
            Some(before) => self.conn.on().execute_script(before.clone()).await,
            None => Ok(()),
        }
    }

    /// Streams the result of a statement.
    pub fn stream(&mut self, statement: Statement) -> Result<BoxStream<'_, Result<Record, DbError>>, DbError> {
        self.conn.on().stream(statement.sql, statement.args)
    }

    /// Adds the rows that an identifier names; how many.
    pub async fn seed(&mut self, node: usize, field: &IdentityField, value: &str) -> Result<u64, DbError> {
        let Some(location) = self.locations.get(&node) else { return Ok(0) };
        let Some(statement) = reach::seed(location, field, value, self.dialect) else { return Ok(0) };
        self.expect_known_rows(node).await?;
        let named = self.run(statement).await?;
        self.settle(node).await?;
        Ok(named)
    }

    /// One step along an edge inside this source; rows that are new or rose.
    pub async fn spread(&mut self, edge: &Edge, round: i64) -> Result<u64, SnapshotError> {
        let (Some(from), Some(to)) = (self.locations.get(&edge.from.0), self.locations.get(&edge.to.0)) else { return Ok(0) };
        let is_first = !self.filled.contains(&edge.to.0);
        let statement = reach::spread(edge, from, to, round, is_first, self.dialect).map_err(SnapshotError::Map)?;
        let fresh = self.run(statement).await?;
        if fresh > 0 {
            self.expect_known_rows(edge.to.0).await?;
            self.settle(edge.to.0).await?;
        }
        Ok(fresh)
    }

    /// Indexes a temporary table, if it has no index yet: from now on rows may arrive that are there already.
    pub async fn expect_known_rows(&mut self, node: usize) -> Result<(), DbError> {
        let Some(location) = self.locations.get(&node) else { return Ok(()) };
        if self.filled.insert(node) {
            self.conn.on().execute(reach::index(location, self.dialect), args![]).await?;
        }
        Ok(())
    }

    /// Adds the columns of the decision to a location's temporary table, with what happens to most of its rows as their default.
    pub async fn open_fates(&mut self, node: usize, most: i64, ground: Option<&'static str>) -> Result<(), DbError> {
        let Some(location) = self.locations.get(&node) else { return Ok(()) };
        self.is_decided = true;
        self.conn.on().execute_script(fate::open(location, most, ground, self.dialect)).await
    }

    /// Refreshes the server's statistics of a temporary table that has changed: without them its joins are planned for a handful of rows.
    pub async fn settle(&mut self, node: usize) -> Result<(), DbError> {
        let Some(location) = self.locations.get(&node) else { return Ok(()) };
        if self.dialect == Dialect::Postgres && self.filled.contains(&node) {
            self.conn.on().execute(probe::refresh_statistics(location), args![]).await?;
        }
        Ok(())
    }

    /// The tally of a location.
    pub async fn tally(&mut self, node: usize) -> Result<Vec<Tally>, DbError> {
        let Some(location) = self.locations.get(&node).filter(|_| self.is_reached(node)) else { return Ok(Vec::new()) };
        let rows = self.conn.on().fetch_all(fate::tally(location, self.is_decided, self.dialect), args![]).await?;
        rows.iter().map(Tally::read).collect()
    }

    /// What is to be cleared in a location, once it is decided.
    pub async fn cut_tally(&mut self, node: usize) -> Result<CutTally, DbError> {
        let Some(location) = self.locations.get(&node).filter(|_| self.is_reached(node)) else { return Ok(CutTally::default()) };
        let statement = cut::tally(location, self.dialect);
        CutTally::read(&self.list(statement).await?)
    }

    /// Whether rows of a location stay, once it is decided.
    pub async fn has_staying_rows(&mut self, node: usize) -> Result<bool, DbError> {
        let Some(location) = self.locations.get(&node).filter(|_| self.is_reached(node)) else { return Ok(false) };
        let statement = Statement::from(fate::staying(location));
        Ok(self.count(statement).await? > 0)
    }

    /// Streams the rows of a location for the archive.
    pub fn rows(
        &mut self,
        node: usize,
        columns: &[String],
        hidden: &[String],
    ) -> Result<BoxStream<'_, Result<Record, DbError>>, DbError> {
        let location = &self.locations[&node];
        let sql = read::rows(location, columns, hidden, self.dialect);
        self.conn.on().stream(sql, args![])
    }

    /// Ends the snapshot.
    pub async fn close(mut self) -> Result<(), DbError> {
        self.conn.on().execute("ROLLBACK", args![]).await?;
        Ok(())
    }
}

/// What can go wrong in a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The map says something that the live schema cannot do.
    #[error("{0}")]
    Map(String),
}

/// Rows of a location that share right, share, fate and ground.
#[derive(Debug, Clone)]
pub struct Tally {
    /// 2 owned, 1 accessed.
    pub rights: i64,
    /// Owned by others too.
    pub shared: bool,
    /// See `text::fate`.
    pub fate: i64,
    /// Ground of what is kept.
    pub ground: Option<String>,
    /// Matter or law.
    pub reference: Option<String>,
    /// Earliest day to look again.
    pub review_on: Option<String>,
    /// How many rows.
    pub count: u64,
}

impl Tally {
    fn read(record: &Record) -> Result<Tally, DbError> {
        Ok(Tally {
            rights: record.int("rights")?,
            shared: record.int("shared")? == 1,
            fate: record.int("fate")?,
            ground: record.opt_text("ground")?,
            reference: record.opt_text("reference")?,
            review_on: record.opt_text("review_on")?,
            count: u64::try_from(record.int("n")?).unwrap_or(0),
        })
    }
}

/// What a gathering may use of the server's memory: for its temporary tables, and for a sort or hash. The servers' defaults (8 MB and 4 MB)
/// send the keys of a person with a million rows through the disk again and again; a small person uses nothing of it.
const TEMP_BUFFERS: &str = "128MB";
const WORK_MEMORY: &str = "64MB";

async fn begin(conn: &mut Conn, dialect: Dialect) -> Result<String, DbError> {
    match dialect {
        Dialect::Postgres => {
            // Before the first temporary table: later the server refuses it.
            conn.on().execute("SELECT set_config('temp_buffers', $1, false)", args![TEMP_BUFFERS]).await?;
            conn.on().execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE", args![]).await?;
            let settings = "SELECT set_config('work_mem', $1, true), set_config('maintenance_work_mem', $1, true), \
                            set_config('default_statistics_target', '10', true), set_config('jit', 'off', true)";
            conn.on().execute(settings, args![WORK_MEMORY]).await?;
            let sql = "SELECT pg_current_snapshot()::text AS snapshot";
            let record = conn.on().fetch_one(sql, args![]).await?;
            Ok(format!("postgresql snapshot {}", record.text("snapshot")?))
        }
        Dialect::MySql => {
            conn.on().execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", args![]).await?;
            conn.on().execute("START TRANSACTION WITH CONSISTENT SNAPSHOT", args![]).await?;
            let sql = "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS taken_at, CONNECTION_ID() AS session";
            let record = conn.on().fetch_one(sql, args![]).await?;
            Ok(format!("mysql snapshot of {} UTC in session {}", record.text("taken_at")?, record.int("session")?))
        }
        Dialect::Sqlite => {
            conn.on().execute("BEGIN", args![]).await?;
            // A deferred transaction takes its snapshot at the first read.
            conn.on().fetch_one("SELECT COUNT(*) AS n FROM sqlite_schema", args![]).await?;
            let record = conn.on().fetch_one("PRAGMA data_version", args![]).await?;
            Ok(format!("sqlite data version {}", record.int("data_version")?))
        }
    }
}
