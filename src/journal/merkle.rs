//! The RFC 6962 (RFC 9162 section 2.1) Merkle tree over SHA-256: leaf `H(0x00 ‖ entry)`, node `H(0x01 ‖ left ‖ right)`. A proof is
//! described by the ranges of leaves whose subtree roots it lists; so it is made by streaming leaf hashes past a [`Frontier`], and no
//! tree is ever held in memory. Pure: knows nothing of the ledger.

use std::ops::Range;

use sha2::Digest as _;
use sha2::Sha256;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Plain SHA-256.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// The hash of a leaf.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([0x01]).chain_update(left).chain_update(right).finalize().into()
}

/// The roots of the perfect subtrees of what was seen so far, largest first: all that is needed to go on, one hash per bit of the size.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each trailing one bit of the size is a subtree as tall as the one that is carried.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// How many leaves were added.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.subtrees.iter().rev();
        match right_to_left.next() {
            None => sha256(b""),
            Some(last) => right_to_left.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

/// Largest power of two smaller than `size`; `size` is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The ranges of leaves whose roots are the inclusion proof of leaf `index` in a tree of `size` leaves (RFC 6962 section 2.1.1), sibling
/// of the leaf first. `None` if there is no such leaf.
pub fn inclusion_ranges(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// The ranges of leaves whose roots are the consistency proof between two sizes of the tree (RFC 6962 section 2.1.2). `None` unless
/// `0 < old <= new`.
pub fn consistency_ranges(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old == 0 || old > new {
        return None;
    }
    let mut ranges = Vec::new();
    let (mut start, mut end, mut whole_old_tree) = (0, new, true);
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
            whole_old_tree = false;
        }
    }
    // The verifier has the root of the old tree already; any smaller piece it has to be given.
    if !whole_old_tree {
        ranges.push(start..end);
    }
    ranges.reverse();
    Some(ranges)
}

/// Whether `proof` ties leaf `index` to `root` (RFC 9162 section 2.1.3.2).
pub fn includes(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `new` leaves begins with that of `old` leaves (RFC 9162 section 2.1.4.2).
pub fn extends(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    // A perfect old tree is itself the first subtree; its root is left out of the proof.
    let first = if old.is_power_of_two() { Some(old_root) } else { None };
    let mut hashes = first.into_iter().chain(proof);
    let Some(&start) = hashes.next() else { return false };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (start, start);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(hash, &from_old);
            from_new = node_hash(hash, &from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{hex, unhex};

    /// The eight inputs of the reference implementation of RFC 6962, and the roots over the first n of them.
    const INPUTS: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves() -> Vec<Hash> {
        INPUTS.iter().map(|input| leaf_hash(&unhex(input).unwrap())).collect()
    }

    fn root_of(leaves: &[Hash]) -> Hash {
        let mut frontier = Frontier::default();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        frontier.root()
    }

    fn proof(leaves: &[Hash], ranges: Option<Vec<Range<u64>>>) -> Vec<Hash> {
        ranges.unwrap().into_iter().map(|range| root_of(&leaves[range.start as usize..range.end as usize])).collect()
    }

    fn printed(proof: &[Hash]) -> Vec<String> {
        proof.iter().map(|hash| hex(&hash[..4])).collect()
    }

    #[test]
    fn roots_are_those_of_the_reference_implementation() {
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(hex(&root_of(&leaves()[..size])), *root, "size {size}");
        }
    }

    #[test]
    fn proofs_are_those_of_the_reference_implementation() {
        let leaves = leaves();
        let inclusion = |index, size| printed(&proof(&leaves, inclusion_ranges(index, size)));
        assert!(inclusion(0, 1).is_empty());
        assert_eq!(inclusion(0, 8), ["96a296d2", "5f083f0a", "6b47aaf2"]);
        assert_eq!(inclusion(5, 8), ["bc1a0643", "ca854ea1", "d37ee418"]);
        assert_eq!(inclusion(2, 3), ["fac54203"]);
        assert_eq!(inclusion(1, 5), ["6e340b9c", "5f083f0a", "bc1a0643"]);
        let consistency = |old, new| printed(&proof(&leaves, consistency_ranges(old, new)));
        assert!(consistency(1, 1).is_empty());
        assert_eq!(consistency(1, 8), ["96a296d2", "5f083f0a", "6b47aaf2"]);
        assert_eq!(consistency(6, 8), ["0ebc5d34", "ca854ea1", "d37ee418"]);
        assert_eq!(consistency(2, 5), ["5f083f0a", "bc1a0643"]);
    }

    #[test]
    fn every_proof_up_to_forty_leaves_holds_and_every_altered_one_fails() {
        let leaves: Vec<Hash> = (0..40u8).map(|number| leaf_hash(&[number])).collect();
        for size in 1..=leaves.len() as u64 {
            let root = root_of(&leaves[..size as usize]);
            for index in 0..size {
                let proof = proof(&leaves, inclusion_ranges(index, size));
                let leaf = &leaves[index as usize];
                assert!(includes(leaf, index, size, &proof, &root));
                assert!(!includes(leaf, index + 1, size, &proof, &root));
                assert!(!includes(&leaf_hash(b"other"), index, size, &proof, &root));
                for at in 0..proof.len() {
                    let mut altered = proof.clone();
                    altered[at][0] ^= 1;
                    assert!(!includes(leaf, index, size, &altered, &root));
                    assert!(!includes(leaf, index, size, &proof[..at], &root));
                }
            }
            for old in 1..=size {
                let old_root = root_of(&leaves[..old as usize]);
                let proof = proof(&leaves, consistency_ranges(old, size));
                assert!(extends(old, &old_root, size, &root, &proof), "{old} of {size}");
                assert!(!extends(old, &leaf_hash(b"other"), size, &root, &proof));
                for at in 0..proof.len() {
                    let mut altered = proof.clone();
                    altered[at][0] ^= 1;
                    assert!(!extends(old, &old_root, size, &root, &altered));
                }
            }
        }
        assert!(inclusion_ranges(3, 3).is_none() && consistency_ranges(0, 3).is_none() && consistency_ranges(4, 3).is_none());
    }
}
