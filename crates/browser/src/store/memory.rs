//! Pieces in memory, shared with the engine that verified them.

use headwater_base::PieceIndex;
use headwater_client::{PieceData, StoreError};

pub(super) struct Memory {
    pieces: Vec<Option<PieceData>>,
}

impl Memory {
    pub(super) fn new(count: u32) -> Self {
        Self { pieces: vec![None; count as usize] }
    }

    pub(super) fn read(
        &self,
        piece: PieceIndex,
        begin: u32,
        len: u32,
    ) -> Result<Vec<u8>, StoreError> {
        let data = self.pieces.get(piece.idx()).and_then(Option::as_ref);
        let part = data.and_then(|data| data.get(begin as usize..(begin + len) as usize));
        part.map(<[u8]>::to_vec)
            .ok_or_else(|| StoreError::Io(format!("piece {piece} is not in memory")))
    }

    pub(super) fn write(&mut self, piece: PieceIndex, data: &PieceData) -> Result<(), StoreError> {
        match self.pieces.get_mut(piece.idx()) {
            Some(place) => *place = Some(data.clone()),
            None => return Err(StoreError::Io(format!("piece {piece} is past the end"))),
        }
        Ok(())
    }
}
