//! Compression around the input: found by its first bytes, taken off while it is read.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use crate::ConvertError;
use crate::gzip::Members;

/// How often an input may be compressed: a Collector's zstd, and a rotation's gzip around it.
const MAX_LAYERS: usize = 2;
/// How many compressed bytes are read at a time.
const COMPRESSED_CHUNK: usize = 128 << 10;
/// The longest window of zstd, as a power of two: 128 MiB, what `zstd` itself allows unless told
/// otherwise with `--long`.
pub(crate) const MAX_WINDOW_LOG: u32 = 27;
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Those of a frame that holds something else, behind a byte from 50 to 5f: the decoder skips it.
const SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];

/// Whether the bytes begin as zstd does.
pub(crate) fn is_zstd(begin: &[u8]) -> bool {
    let is_skippable = |(first, rest): (&u8, &[u8])| first >> 4 == 5 && rest.starts_with(SKIPPABLE);
    begin.starts_with(&ZSTD) || begin.split_first().is_some_and(is_skippable)
}

/// The inflated input.
pub(crate) struct Layers<'r> {
    reader: Box<dyn Read + 'r>,
    /// Of the innermost layer.
    coding: Option<&'static str>,
    compressed: Rc<Cell<u64>>,
}

impl<'r> Layers<'r> {
    /// The input as it comes.
    pub(crate) fn new(input: impl Read + 'r) -> Self {
        let compressed = Rc::new(Cell::new(0));
        let count = Rc::clone(&compressed);
        Self {
            reader: Box::new(Counted {
                inner: input,
                count,
            }),
            coding: None,
            compressed,
        }
    }

    /// Takes off what compression there is.
    pub(crate) fn take_off(&mut self) -> Result<(), ConvertError> {
        for _ in 0..=MAX_LAYERS {
            let begin = self.begin()?;
            let (is_gzip, is_zstd) = (begin.starts_with(GZIP), is_zstd(&begin));
            let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
            let whole = Cursor::new(begin).chain(rest);
            if is_gzip {
                let buffered = BufReader::with_capacity(COMPRESSED_CHUNK, whole);
                self.reader = Box::new(Members::new(buffered));
                self.coding = Some("gzip");
            } else if is_zstd {
                let buffered = BufReader::with_capacity(COMPRESSED_CHUNK, whole);
                let decoder = zstd::Decoder::with_buffer(buffered).and_then(|mut decoder| {
                    decoder.window_log_max(MAX_WINDOW_LOG)?;
                    Ok(decoder)
                });
                self.reader = Box::new(decoder.map_err(ConvertError::Read)?);
                self.coding = Some("zstd");
            } else {
                self.reader = Box::new(whole);
                return Ok(());
            }
        }
        Err(ConvertError::TooManyLayers(MAX_LAYERS))
    }

    /// How many bytes have come in, as they came.
    pub(crate) fn bytes_in(&self) -> u64 {
        self.compressed.get()
    }

    /// Reads some bytes; none if there are no more.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> Result<usize, ConvertError> {
        loop {
            match self.reader.read(room) {
                Ok(len) => return Ok(len),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    /// The first bytes, as many as a magic number has, or fewer if there are no more.
    fn begin(&mut self) -> Result<Vec<u8>, ConvertError> {
        let mut begin = [0; ZSTD.len()];
        let mut len = 0;
        while len < begin.len() {
            match self.read(&mut begin[len..])? {
                0 => break,
                more => len += more,
            }
        }
        Ok(begin[..len].to_vec())
    }

    /// What an error means: decompressors speak of damage in errors of their own making, which
    /// have no code of the system.
    fn explain(&self, source: io::Error) -> ConvertError {
        match self.coding {
            Some(coding) if source.raw_os_error().is_none() => {
                if source.kind() == io::ErrorKind::UnexpectedEof {
                    ConvertError::TruncatedStream(coding)
                } else {
                    ConvertError::DamagedStream { coding, source }
                }
            }
            _ => ConvertError::Read(source),
        }
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(room)?;
        self.count.set(self.count.get() + len as u64);
        Ok(len)
    }
}
