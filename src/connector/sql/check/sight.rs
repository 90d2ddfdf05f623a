//! What the verifying role can see. An eraser that sees everything and a verifier that sees little would agree that nothing is left, so a
//! verifier that is kept from rows is an error before anything is erased (V-3).

use crate::connector::sql::{SqlSource, Table};
use crate::datamap::{Code, DataMap, Finding, Graph, Node, Severity};

/// Findings about the verifying role of a source; none where the same role erases and verifies, of which everything is said elsewhere.
pub fn check_sight(map: &DataMap, graph: &Graph, source: &SqlSource) -> Vec<Finding> {
    if !source.has_its_own_verifier() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if is_elsewhere(&source.catalogue.system_identity, &source.sight().system_identity) {
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::VerifierBlind,
            place: None,
            subject: source.name.clone(),
            problem: "`verify` leads to another database than the source itself".into(),
            why: "whatever is looked for there proves nothing about what was erased here".into(),
            hint: "let `verify` name the same database, with a role of its own".into(),
            write: None,
        });
        return findings;
    }
    let mut reached = graph.reachable(None);
    graph.cut_unseen().for_each(|(_, edge)| reached[edge.to.0] = true);
    for (node, _) in graph.nodes.iter().zip(reached).filter(|(node, is_reached)| node.source == source.name && *is_reached) {
        let Some(table) = source.catalogue.find(node.schema.as_deref(), &node.collection) else { continue };
        let seen = source.sight().tables.get(&table.name);
        if let Some((problem, hint)) = blindness(table, seen) {
            findings.push(Finding {
                severity: Severity::Error,
                code: Code::VerifierBlind,
                place: map.collection(&node.dataset, &node.collection).map(|collection| collection.place.clone()),
                subject: Node::name(node),
                problem,
                why: "what the verifier cannot see looks erased to it, and would be certified".into(),
                hint,
                write: None,
            });
        }
    }
    findings
}

fn blindness(table: &Table, seen: Option<&Table>) -> Option<(String, String)> {
    let grant = format!("GRANT SELECT ON {} TO the verifying role (and USAGE on its schema)", table.name);
    match seen {
        Some(seen) if !seen.rights.select => Some((format!("the verifying role may not read `{}`", table.name), grant)),
        Some(seen) if seen.row_security => Some((
            format!("row security of `{}` can hide rows from the verifying role", table.name),
            format!("ALTER ROLE … BYPASSRLS; or CREATE POLICY … ON {} FOR ALL TO the verifying role USING (true)", table.name),
        )),
        Some(_) => None,
        None => Some((format!("the verifying role does not see `{}`", table.name), grant)),
    }
}

/// A role that may not ask for the cluster's identifier tells another kind of identity, which says nothing.
fn is_elsewhere(work: &str, verify: &str) -> bool {
    let kind = |identity: &str| identity.matches([':', '/']).count();
    work != verify && kind(work) == kind(verify)
}
