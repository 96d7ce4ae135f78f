//! gzip of several members, and zeros behind them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Inflates one member after the other. Behind the last one there may be zeros, with which tapes
/// and `dd` fill up a block, and which gzip(1) passes over, too; nothing else.
pub(crate) struct Members<R> {
    /// The member that is read, or was the last one; nothing only for a moment.
    member: Option<GzDecoder<R>>,
    is_behind_members: bool,
}

impl<R: BufRead> Members<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            member: Some(GzDecoder::new(reader)),
            is_behind_members: false,
        }
    }

    /// Goes on behind a member that is at its end, if another one follows.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        match member.get_mut().fill_buf()?.first() {
            None | Some(0) => self.is_behind_members = true,
            Some(_) => {
                let reader = self.member.take().map(GzDecoder::into_inner);
                self.member = reader.map(GzDecoder::new);
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while !self.is_behind_members && !room.is_empty() {
            let Some(member) = &mut self.member else {
                return Ok(0);
            };
            match member.read(room)? {
                0 => self.next_member()?,
                len => return Ok(len),
            }
        }
        if self.is_behind_members
            && let Some(member) = &mut self.member
        {
            pass_over_zeros(member.get_mut())?;
        }
        Ok(0)
    }
}

fn pass_over_zeros(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let len = bytes.len();
        if len == 0 {
            return Ok(());
        }
        if bytes.iter().any(|&byte| byte != 0) {
            let message = "something that is neither gzip nor zeros follows";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        reader.consume(len);
    }
}
