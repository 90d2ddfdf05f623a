//! What would happen to which records, decided before anything is touched. Pure: `decide/` has the reading side.

pub mod digest;
mod disposition;
mod order;
#[expect(clippy::module_inception, reason = "the noun of the module")]
mod plan;
mod record;
mod row_id;
mod step;

pub use disposition::{Disposition, Ground, Outcome, Retained};
pub use order::{Order, Refers, order};
pub use plan::{ColumnChange, Gap, Plan, PlanItem, Problem};
pub use record::{DamagedRecord, ManifestRecord};
pub use row_id::RowId;
pub use step::{Action, Referrer, Step};
