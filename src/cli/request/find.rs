//! A request by its id or code. What was typed is repeated only when it can be one: somebody may have typed an e-mail address (S-1).

use crate::cli::error::CliError;
use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::ledger::request::{self, Request};

/// The request, or "not found".
pub async fn find(tx: &mut Tx, id_or_code: &str) -> Result<Request, CliError> {
    match request::find(tx, id_or_code).await {
        Err(LedgerError::NotFound { .. }) => Err(CliError::NotFound { noun: "request", name: harmless(id_or_code) }),
        found => Ok(found?),
    }
}

fn harmless(typed: &str) -> String {
    let is_id = typed.len() <= 36 && typed.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_id { typed.to_owned() } else { "(not shown: neither an id nor a code)".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_1_an_address_typed_for_a_code_is_not_repeated() {
        assert_eq!(harmless("R7K2M9"), "R7K2M9");
        assert!(!harmless("ada@example.com").contains("ada"));
    }
}
