//! What every page has round its content: the controller's name, the way to the other pages, and a policy that lets a browser apply this one
//! style sheet and nothing else.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::archive::ArchiveHeader;
use crate::archive::timestamp;

const STYLE: &str = include_str!("../../../templates/archive/style.css");
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE))));

/// The frame of a page.
#[derive(Clone)]
pub(in crate::archive) struct Frame {
    pub(super) controller: String,
    pub(super) code: String,
    pub(super) created: String,
    /// The way to the root of the archive: empty, or `../`.
    pub(super) root: &'static str,
    pub(super) style: &'static str,
    pub(super) style_hash: &'static str,
}

impl Frame {
    /// The frame of pages under `html/`.
    pub(in crate::archive) fn new(header: &ArchiveHeader) -> Frame {
        Frame {
            controller: header.controller.name.clone(),
            code: header.request.code.clone(),
            created: timestamp::for_people(header.created),
            root: "../",
            style: STYLE,
            style_hash: &STYLE_HASH,
        }
    }

    /// The frame of the first page.
    pub(super) fn at_root(&self) -> Frame {
        Frame { root: "", ..self.clone() }
    }
}
