/// Memory that the batches of a transaction are built in, lent to those partitions that have records.
///
/// A backlog comes by the partition: what one of them takes in a transaction, another takes in the next.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Nothing is in them; from the smallest to the largest.
    free: Vec<Vec<u8>>,
    /// Bytes that came back since the last transaction.
    returned: usize,
    /// Bytes that a transaction takes; what fewer and fewer take is forgotten by the eighth.
    needed: usize,
}

impl Buffers {
    /// What is taken for needed, however little transactions take.
    const NEEDED_MIN: usize = 256 << 10;

    /// An empty buffer, the largest there is.
    pub fn take(&mut self) -> Vec<u8> {
        self.free.pop().unwrap_or_default()
    }

    /// Takes a buffer back; what is in it counts as needed.
    pub fn give_back(&mut self, mut buffer: Vec<u8>) {
        self.returned += buffer.len();
        buffer.clear();
        if buffer.capacity() > 0 {
            let at = self.free.partition_point(|free| free.capacity() < buffer.capacity());
            self.free.insert(at, buffer);
        }
    }

    /// To be called when all of a transaction's are back: frees what is more than a quarter above what
    /// transactions need, the smallest first.
    pub fn settle(&mut self) {
        let needed = self.returned.max(self.needed - self.needed / 8);
        self.needed = needed.max(Self::NEEDED_MIN);
        self.returned = 0;
        let mut kept: usize = self.free.iter().map(Vec::capacity).sum();
        let spare = self.free.iter().take_while(|free| {
            let is_spare = kept > Self::kept_max(self.needed);
            kept -= free.capacity();
            is_spare
        });
        let n_spare = spare.count();
        self.free.drain(..n_spare);
    }

    const fn kept_max(needed: usize) -> usize {
        needed + needed / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// A transaction that fills buffers so far; returns the memory that is kept after it.
    fn transaction(buffers: &mut Buffers, sizes: &[usize]) -> usize {
        let filled = |size: &usize| {
            let mut buffer = buffers.take();
            assert!(buffer.is_empty());
            buffer.resize(*size, 1);
            buffer
        };
        let lent: Vec<_> = sizes.iter().map(filled).collect();
        lent.into_iter().for_each(|buffer| buffers.give_back(buffer));
        buffers.settle();
        buffers.free.iter().map(Vec::capacity).sum()
    }

    #[test]
    fn what_one_partition_took_another_takes_next() {
        let mut buffers = Buffers::default();
        let kept = transaction(&mut buffers, &[MIB, MIB]);
        for _ in 0..20 {
            assert_eq!(transaction(&mut buffers, &[MIB, MIB]), kept);
        }
    }

    #[test]
    fn little_more_is_kept_than_transactions_take() {
        let mut buffers = Buffers::default();
        for round in 1..50 {
            let sizes: Vec<_> = (0..16).map(|one| ((one * round) % 16) * (MIB / 8)).collect();
            let kept = transaction(&mut buffers, &sizes);
            assert!(kept <= Buffers::kept_max(buffers.needed), "{kept} in round {round}");
        }
    }

    #[test]
    fn what_is_no_longer_needed_is_freed() {
        let mut buffers = Buffers::default();
        transaction(&mut buffers, &[MIB; 8]);
        for _ in 0..100 {
            transaction(&mut buffers, &[1_000]);
        }
        assert!(transaction(&mut buffers, &[]) <= Buffers::kept_max(Buffers::NEEDED_MIN));
    }
}
