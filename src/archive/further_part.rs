//! What a further part has besides the files in it, so that it is a bag and a data package of its own and says where the others are. It can
//! be written only when it is known how many parts there are.

use super::ArchiveError;
use super::ArchiveHeader;
use super::files::StoredFile;
use super::finished::FinishedFile;
use super::names::{part_file_name, part_folder};
use super::parts::{LastTouch, OtherPart, Part, Parts};
use super::writer::pretty;
use super::{bagit, datapackage, readme};

/// Finishes every further part and reads it back: its files, and what part 1 tells of them.
pub(super) fn finish_all(
    parts: Parts,
    header: &ArchiveHeader,
    name: &str,
    files: &[StoredFile],
) -> Result<(Vec<FinishedFile>, Vec<OtherPart>), ArchiveError> {
    let of = parts.count();
    let (mut finished, mut told) = (Vec::new(), Vec::new());
    parts.finish(|number, LastTouch { mut bag, handle, partial }| {
        let part = Part { number, of };
        let folder = part_folder(name, number);
        let held = bag.entries().len() as u64;
        bag.add(readme::PATH, readme::of_part(header, name, part).as_bytes())?;
        bag.add(datapackage::PATH, &pretty(&datapackage::of_part(header, &folder, part, files))?)?;
        bagit::write(&mut bag, header, part)?;
        bag.close()?;
        let file = FinishedFile::read_back(part_file_name(name, part), &folder, &handle, partial)?;
        let (file_name, sha256) = (file.file_name.clone(), file.sha256.clone());
        told.push(OtherPart { n: number, file_name, folder, bytes: file.bytes, sha256, files: held });
        finished.push(file);
        Ok(())
    })?;
    Ok((finished, told))
}
