//! A folder of this machine as an object store: the key is the path below the folder, with `/` between its parts. It keeps no versions and no
//! locks, and says so. Nothing outside the folder is ever reached: links are listed and never followed, and a key with `..` names nothing.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::io::AsyncWriteExt;

use super::{
    Condition, Details, Entry, EntryKind, Fate, Lock, ObjectKey, ObjectStore, Page, PageMark, Reading, StoreError, StoreFacts,
    Versioning, Writing,
};

/// Entries per page.
const PAGE: usize = 1_000;

/// A folder.
#[derive(Debug, Clone)]
pub struct FolderStore {
    root: PathBuf,
}

impl FolderStore {
    /// Opens a folder that exists.
    pub fn open(root: &Path) -> Result<FolderStore, StoreError> {
        match fs::metadata(root) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(StoreError::Missing("folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::Missing("folder")),
            Err(error) => return Err(StoreError::file("open the folder", &error)),
        }
        let root = fs::canonicalize(root).map_err(|error| StoreError::file("open the folder", &error))?;
        Ok(FolderStore { root })
    }

    /// Where a key lies; none for keys that are no path below the folder.
    fn path_of(&self, key: &ObjectKey) -> Option<PathBuf> {
        let relative = Path::new(OsStr::from_bytes(key.bytes()));
        let is_plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        // `a//b`, `a/./b` and `a/` are other spellings of a path, and no keys of a folder.
        let is_exact = relative.components().collect::<PathBuf>().as_os_str() == relative.as_os_str();
        (is_plain && is_exact && !key.bytes().is_empty() && !key.bytes().contains(&0)).then(|| self.root.join(relative))
    }

    /// What is at a key. A part of its path that is a link leads out of what we vouch for.
    pub(super) fn at(&self, key: &ObjectKey) -> Result<(PathBuf, Metadata), StoreError> {
        let path = self.path_of(key).ok_or(StoreError::Gone)?;
        let parent = path.parent().unwrap_or(&self.root);
        let real = fs::canonicalize(parent).map_err(|error| StoreError::file("look at a file", &error))?;
        if real != parent {
            return Err(StoreError::Gone);
        }
        let found = fs::symlink_metadata(&path).map_err(|error| StoreError::file("look at a file", &error))?;
        if found.is_dir() {
            return Err(StoreError::Gone);
        }
        Ok((path, found))
    }

    fn page(&self, prefix: &[u8], after: Option<PageMark>) -> Result<Page, StoreError> {
        self.refuse_links_on_the_way(prefix)?;
        let mut finder = Finder { prefix, after: after.map(|mark| mark.key), entries: Vec::new() };
        finder.search(&self.root, &[])?;
        let is_full = finder.entries.len() > PAGE;
        finder.entries.truncate(PAGE);
        let next = finder.entries.last().filter(|_| is_full).map(|last| PageMark { key: last.key.bytes().to_vec(), id: None });
        Ok(Page { entries: finder.entries, next })
    }

    /// What lies behind a link is not ours to list; an empty list would be taken for absence (V-2).
    fn refuse_links_on_the_way(&self, prefix: &[u8]) -> Result<(), StoreError> {
        let mut path = self.root.clone();
        let mut parts = prefix.split(|byte| *byte == b'/').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                // The last part only begins names.
                break;
            }
            path.push(OsStr::from_bytes(part));
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => {
                    return Err(StoreError::Refused { doing: "list what lies behind a link", code: "SymbolicLink".to_owned() });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(StoreError::file("list a folder", &error)),
            }
        }
        Ok(())
    }

    fn remove(&self, entry: &Entry) -> Result<Fate, StoreError> {
        if entry.kind != EntryKind::Version {
            return Ok(Fate::Acknowledged);
        }
        let (path, found) = match self.at(&entry.key) {
            Ok(found) => found,
            Err(StoreError::Gone) => return Ok(Fate::Acknowledged),
            Err(StoreError::Denied { .. }) => return Ok(Fate::Refused("AccessDenied".to_owned())),
            Err(error) => return Err(error),
        };
        if let Some(why) = obstacle(&found) {
            return Ok(Fate::Refused(why.to_owned()));
        }
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Fate::Acknowledged),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Fate::Refused("AccessDenied".to_owned())),
            Err(error) => return Err(StoreError::file("delete a file", &error)),
        }
        self.remove_empty_folders(&path);
        Ok(Fate::Acknowledged)
    }

    /// The name of a folder may be somebody's number. One that others are just filling stays: a folder with anything in it cannot be removed.
    fn remove_empty_folders(&self, path: &Path) {
        let mut folder = path.parent();
        while let Some(here) = folder.filter(|here| *here != self.root && here.starts_with(&self.root)) {
            if fs::remove_dir(here).is_err() {
                return;
            }
            folder = here.parent();
        }
    }
}

/// Finds files below a prefix and after a key, in the order of their keys.
struct Finder<'p> {
    prefix: &'p [u8],
    after: Option<Vec<u8>>,
    entries: Vec<Entry>,
}

impl Finder<'_> {
    fn search(&mut self, folder: &Path, below: &[u8]) -> Result<(), StoreError> {
        let listed = fs::read_dir(folder).map_err(|error| StoreError::file("list a folder", &error))?;
        let mut names: Vec<(Vec<u8>, bool)> = Vec::new();
        for entry in listed {
            let entry = entry.map_err(|error| StoreError::file("list a folder", &error))?;
            let kind = entry.file_type().map_err(|error| StoreError::file("list a folder", &error))?;
            let mut key = below.to_vec();
            key.extend_from_slice(entry.file_name().as_bytes());
            if kind.is_dir() {
                key.push(b'/');
            }
            if self.may_hold(&key, kind.is_dir()) {
                names.push((key, kind.is_dir()));
            }
        }
        names.sort();
        for (key, is_folder) in names {
            if self.entries.len() > PAGE {
                return Ok(());
            }
            let path = folder.join(OsStr::from_bytes(last_part(&key)));
            if is_folder {
                self.search(&path, &key)?;
            } else if let Some(entry) = entry_of(key, &path)? {
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    fn may_hold(&self, key: &[u8], is_folder: bool) -> bool {
        let fits = key.starts_with(self.prefix) || (is_folder && self.prefix.starts_with(key));
        let is_later = self.after.as_ref().is_none_or(|after| key > after.as_slice() || (is_folder && after.starts_with(key)));
        fits && is_later
    }
}

fn last_part(key: &[u8]) -> &[u8] {
    let key = key.strip_suffix(b"/").unwrap_or(key);
    key.rsplit(|byte| *byte == b'/').next().unwrap_or(key)
}

/// A file that went away meanwhile is none.
fn entry_of(key: Vec<u8>, path: &Path) -> Result<Option<Entry>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(found) => {
            let mut entry = Entry::named(ObjectKey::new(key), EntryKind::Version, None);
            entry.size = found.len();
            entry.etag = Some(tag_of(&found));
            entry.modified = modified(&found);
            entry.is_latest = true;
            entry.obstacle = obstacle(&found);
            Ok(Some(entry))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::file("look at a file", &error)),
    }
}

/// The name of such a file would go and its bytes would stay, wherever they are.
fn obstacle(found: &Metadata) -> Option<&'static str> {
    match found {
        found if found.is_symlink() => Some("SymbolicLink"),
        found if found.nlink() > 1 => Some("HardLink"),
        _ => None,
    }
}

/// A path without `.`, `..` and doubled separators; none if it leads outside or names nothing.
pub fn plain_path(name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            plain => parts.push(plain),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn tag_of(found: &Metadata) -> String {
    format!("{}-{}-{}.{}", found.ino(), found.len(), found.mtime(), found.mtime_nsec())
}

/// Where the file system remembers when a folder was made, that and its number tell it from another one in its place: a restored copy, or the
/// empty folder below a disk that is not mounted. The number of the device may be another after a restart.
fn identity_of(found: &Metadata) -> String {
    let born = found.created().ok().and_then(|born| born.duration_since(std::time::UNIX_EPOCH).ok());
    match born {
        Some(born) => format!("folder {}-{}", found.ino(), born.as_nanos()),
        None => format!("folder {}:{}", found.dev(), found.ino()),
    }
}

fn modified(found: &Metadata) -> Option<Timestamp> {
    Timestamp::new(found.mtime(), i32::try_from(found.mtime_nsec()).ok()?).ok()
}

impl ObjectStore for FolderStore {
    fn facts(&self) -> BoxFuture<'_, Result<StoreFacts, StoreError>> {
        Box::pin(async {
            let found = fs::metadata(&self.root).map_err(|error| StoreError::file("open the folder", &error))?;
            Ok(StoreFacts {
                versioning: Versioning::Never,
                lockable: Some(false),
                retains_new: None,
                mfa_delete: false,
                copies: Vec::new(),
                unknown: Vec::new(),
                identity: identity_of(&found),
            })
        })
    }

    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async move { self.page(prefix, after) })
    }

    fn key_of(&self, name: &str) -> Option<ObjectKey> {
        plain_path(name).map(|plain| ObjectKey::new(plain.as_bytes()))
    }

    fn list_uploads<'a>(&'a self, _prefix: &'a [u8], _after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async { Ok(Page::default()) })
    }

    fn details<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Details, StoreError>> {
        Box::pin(async move {
            let (_, found) = self.at(&entry.key)?;
            Ok(Details { size: found.len(), modified: modified(&found), etag: Some(tag_of(&found)), ..Details::default() })
        })
    }

    fn read<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Reading, StoreError>> {
        Box::pin(async move {
            let (path, found) = self.at(&entry.key)?;
            if !found.is_file() {
                return Err(StoreError::Refused { doing: "read a file", code: "NotAFile".to_owned() });
            }
            let file = tokio::fs::File::open(&path).await.map_err(|error| StoreError::file("read a file", &error))?;
            Ok(Box::new(file) as Reading)
        })
    }

    fn restore<'a>(&'a self, _entry: &'a Entry, _days: u16) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Err(StoreError::NotSupported { doing: "restore a file" }) })
    }

    fn locks<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<Vec<Lock>, StoreError>> {
        Box::pin(async move { Ok(vec![Lock::Free; entries.len()]) })
    }

    fn set_legal_hold<'a>(&'a self, _entry: &'a Entry, _on: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Err(StoreError::NotSupported { doing: "lock a file" }) })
    }

    fn delete<'a>(&'a self, entries: &'a [Entry], _within: Duration) -> BoxFuture<'a, Result<Vec<Fate>, StoreError>> {
        Box::pin(async move { entries.iter().map(|entry| self.remove(entry)).collect() })
    }

    fn remove_leftovers<'a>(&'a self, prefix: &'a [u8]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.remove_leftovers(prefix))
    }

    fn write<'a>(
        &'a self,
        key: &'a ObjectKey,
        _details: &'a Details,
        condition: Option<Condition>,
    ) -> BoxFuture<'a, Result<Box<dyn Writing>, StoreError>> {
        Box::pin(async move { Ok(Box::new(NewFile::begin(self.clone(), key.clone(), condition)?) as Box<dyn Writing>) })
    }
}

/// A file in the making, under a name of its own beside the key until it is whole.
struct NewFile {
    store: FolderStore,
    key: ObjectKey,
    path: PathBuf,
    condition: Option<Condition>,
    file: tokio::fs::File,
    partial: tempfile::TempPath,
}

impl NewFile {
    fn begin(store: FolderStore, key: ObjectKey, condition: Option<Condition>) -> Result<NewFile, StoreError> {
        let path = store.path_of(&key).ok_or(StoreError::Refused { doing: "write a file", code: "NotAPath".to_owned() })?;
        let folder = path.parent().unwrap_or(&store.root).to_owned();
        fs::create_dir_all(&folder).map_err(|error| StoreError::file("make a folder", &error))?;
        let real = fs::canonicalize(&folder).map_err(|error| StoreError::file("make a folder", &error))?;
        if real != folder {
            return Err(StoreError::Refused { doing: "write a file", code: "SymbolicLink".to_owned() });
        }
        let (file, partial) = super::folder_leftovers::begin(&folder)?;
        Ok(NewFile { store, key, path, condition, file: tokio::fs::File::from_std(file), partial })
    }

    /// Whoever could read the old file must be able to read the new one, and nobody else.
    fn take_over_rights(&self, old: &Metadata) -> Result<(), StoreError> {
        let failed = |error: io::Error| StoreError::file("give a new file the rights of the old one", &error);
        let new = fs::metadata(&self.partial).map_err(failed)?;
        if old.is_symlink() {
            return Ok(());
        }
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::chown(&self.partial, Some(old.uid()), Some(old.gid())).map_err(failed)?;
        }
        fs::set_permissions(&self.partial, old.permissions()).map_err(failed)
    }

    async fn publish(mut self: Box<Self>) -> Result<Entry, StoreError> {
        let failed = |error: io::Error| StoreError::file("write a file", &error);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        let there = match self.store.at(&self.key) {
            Ok((_, found)) => {
                self.take_over_rights(&found)?;
                Some(tag_of(&found))
            }
            Err(StoreError::Gone) => None,
            Err(error) => return Err(error),
        };
        match &self.condition {
            Some(Condition::Matches(tag)) if there.as_ref() != Some(tag) => return Err(StoreError::Changed),
            Some(Condition::Absent) => {
                self.partial.persist_noclobber(&self.path).map_err(|refused| match refused.error.kind() {
                    io::ErrorKind::AlreadyExists => StoreError::Changed,
                    _ => failed(refused.error),
                })?;
            }
            _ => self.partial.persist(&self.path).map_err(|refused| failed(refused.error))?,
        }
        entry_of(self.key.bytes().to_vec(), &self.path)?.ok_or(StoreError::Gone)
    }
}

impl Writing for NewFile {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.file.write_all(bytes).await.map_err(|error| StoreError::file("write a file", &error)) })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Entry, StoreError>> {
        Box::pin(self.publish())
    }

    fn abort(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move { self.partial.close().map_err(|error| StoreError::file("delete a file", &error)) })
    }
}

#[cfg(test)]
mod tests {
    use super::plain_path;

    #[test]
    fn o_1_a_path_has_one_plain_spelling_and_none_outside() {
        for (name, plain) in [
            ("a/b", Some("a/b")),
            ("./a//b/", Some("a/b")),
            ("x/../a/b", Some("a/b")),
            ("../a", None),
            ("a/../../etc/passwd", None),
            ("/a", Some("a")),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(plain_path(name).as_deref(), plain, "{name}");
        }
    }
}
