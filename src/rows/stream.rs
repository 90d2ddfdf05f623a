//! Three stages side by side with bounded queues between them: decompress, match, compress. Memory is a few stretches of the object,
//! however large it is. What one stage meets ends all; the first cause is what is reported.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::gzip::{Compressed, Compressor, Member, Stretch, tail};
use super::{Codec, RowsError};

/// So much of the content goes from stage to stage at once.
const STRETCH: usize = 256 * 1024;

/// Stretches that may wait between two stages.
const WAITING: usize = 4;

/// The level of zstd that its own program uses.
const ZSTD_LEVEL: i32 = 3;

/// What looks at the content: gets all of it in order, in stretches that end anywhere, and says what is to be written.
pub(super) trait Sieve {
    /// Takes in a stretch and appends to `kept` what stays.
    fn stretch(&mut self, content: &[u8], kept: &mut Vec<u8>) -> Result<(), RowsError>;
    /// The content has ended.
    fn end(&mut self, kept: &mut Vec<u8>) -> Result<(), RowsError>;
}

/// Lets the content pass through the sieve and forgets what stays.
pub(super) fn look(input: impl Read + Send, codec: Codec, sieve: &mut dyn Sieve) -> Result<(), RowsError> {
    thread::scope(|scope| {
        let (content, stretches) = sync_channel(WAITING);
        scope.spawn(move || decompress(input, codec, &content));
        let mut kept = Vec::new();
        for stretch in stretches {
            sieve.stretch(&stretch.map_err(|error| RowsError::Read { codec: codec.name(), error })?, &mut kept)?;
            kept.clear();
        }
        sieve.end(&mut kept)
    })
}

/// Lets the content pass through the sieve and writes what stays, compressed as it was. Gives the output back only when all is written.
pub(super) fn rewrite<W: Write + Send>(
    input: impl Read + Send,
    codec: Codec,
    sieve: &mut dyn Sieve,
    output: W,
) -> Result<W, RowsError> {
    thread::scope(|scope| {
        let (content, stretches) = sync_channel(WAITING);
        let (kept, to_write) = sync_channel(WAITING);
        scope.spawn(move || decompress(input, codec, &content));
        let writer = scope.spawn(move || write(codec, &Kept(to_write), output));
        let sifted = sift(codec, stretches, sieve, &kept);
        drop(kept);
        let written = writer.join().map_err(|_| RowsError::Stopped("writer"))?;
        match sifted {
            Ok(()) => written.map_err(RowsError::Write),
            Err(Broken::Rows(error)) => Err(error),
            // When the writer is gone, its reason is the cause.
            Err(Broken::NoWriter) => Err(written.err().map_or(RowsError::Stopped("writer"), RowsError::Write)),
        }
    })
}

/// Why matching broke off.
enum Broken {
    Rows(RowsError),
    NoWriter,
}

impl From<RowsError> for Broken {
    fn from(error: RowsError) -> Broken {
        Broken::Rows(error)
    }
}

/// What goes to the writer. The end is said: a queue that merely closes means that something broke, and nothing is finished then.
enum Part {
    Stretch(Stretch),
    End,
}

/// The writer's end of the queue.
struct Kept(Receiver<Part>);

impl Kept {
    fn next(&self) -> io::Result<Option<Stretch>> {
        match self.0.recv() {
            Ok(Part::Stretch(stretch)) => Ok(Some(stretch)),
            Ok(Part::End) => Ok(None),
            Err(_) => Err(io::Error::other("the content broke off")),
        }
    }
}

fn sift(
    codec: Codec,
    stretches: Receiver<io::Result<Vec<u8>>>,
    sieve: &mut dyn Sieve,
    kept: &SyncSender<Part>,
) -> Result<(), Broken> {
    let mut content = Vec::with_capacity(2 * STRETCH);
    let mut before = Vec::new();
    let mut hand_on = |content: &mut Vec<u8>| {
        let next = if codec == Codec::Gzip { tail(content) } else { Vec::new() };
        let content = std::mem::replace(content, Vec::with_capacity(2 * STRETCH));
        let stretch = Stretch { before: std::mem::replace(&mut before, next), content };
        kept.send(Part::Stretch(stretch)).map_err(|_| Broken::NoWriter)
    };
    for stretch in stretches {
        let stretch = stretch.map_err(|error| RowsError::Read { codec: codec.name(), error })?;
        sieve.stretch(&stretch, &mut content)?;
        if content.len() >= STRETCH {
            hand_on(&mut content)?;
        }
    }
    sieve.end(&mut content)?;
    if !content.is_empty() {
        hand_on(&mut content)?;
    }
    kept.send(Part::End).map_err(|_| Broken::NoWriter)
}

/// Sends the content in stretches until it ends, fails, or nobody listens any more.
fn decompress(input: impl Read + Send, codec: Codec, content: &SyncSender<io::Result<Vec<u8>>>) {
    let mut reader = match codec.reader(input) {
        Ok(reader) => reader,
        Err(error) => {
            // Nobody listens only when the other stage has ended with a reason of its own.
            let _nobody_listens = content.send(Err(error));
            return;
        }
    };
    loop {
        let mut stretch = Vec::with_capacity(STRETCH);
        let read = reader.by_ref().take(STRETCH as u64).read_to_end(&mut stretch);
        let next = match read {
            Ok(0) => return,
            Ok(_) => Ok(stretch),
            Err(error) => Err(error),
        };
        let last = next.is_err();
        if content.send(next).is_err() || last {
            return;
        }
    }
}

fn write<W: Write>(codec: Codec, kept: &Kept, mut output: W) -> io::Result<W> {
    let mut output = match codec {
        Codec::Plain => {
            while let Some(stretch) = kept.next()? {
                output.write_all(&stretch.content)?;
            }
            output
        }
        Codec::Gzip => write_gzip(kept, output)?,
        Codec::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(output, ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            while let Some(stretch) = kept.next()? {
                encoder.write_all(&stretch.content)?;
            }
            encoder.finish()?
        }
    };
    output.flush()?;
    Ok(output)
}

/// A stretch on its way to a compressor, with the way back.
type Work = (Stretch, SyncSender<io::Result<Compressed>>);

/// As many compressors as there are processors; their work is put together in its order by this thread.
fn write_gzip<W: Write>(kept: &Kept, output: W) -> io::Result<W> {
    let compressors = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, 8);
    let (work, to_do) = sync_channel::<Work>(compressors);
    let to_do = Mutex::new(to_do);
    thread::scope(|scope| {
        for _ in 0..compressors {
            scope.spawn(|| compress(&to_do));
        }
        put_together(kept, work, 2 * compressors, output)
    })
}

fn compress(to_do: &Mutex<Receiver<Work>>) {
    let mut compressor = Compressor::new();
    loop {
        let next = match to_do.lock() {
            Ok(to_do) => to_do.recv(),
            Err(_) => return,
        };
        let Ok((stretch, back)) = next else { return };
        if back.send(compressor.compress(&stretch)).is_err() {
            return;
        }
    }
}

fn put_together<W: Write>(kept: &Kept, work: SyncSender<Work>, most_at_work: usize, output: W) -> io::Result<W> {
    let stopped = || io::Error::other("a compressor stopped");
    let mut member = Member::begin(output)?;
    let mut at_work: VecDeque<Receiver<io::Result<Compressed>>> = VecDeque::new();
    loop {
        let stretch = kept.next()?;
        let ended = stretch.is_none();
        if let Some(stretch) = stretch {
            let (back, answer) = sync_channel(1);
            work.send((stretch, back)).map_err(|_| stopped())?;
            at_work.push_back(answer);
        }
        while at_work.len() > if ended { 0 } else { most_at_work } {
            let Some(oldest) = at_work.pop_front() else { break };
            member.add(&oldest.recv().map_err(|_| stopped())??)?;
        }
        if ended {
            return member.end();
        }
    }
}
