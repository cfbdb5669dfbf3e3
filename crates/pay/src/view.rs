//! What a page or a program shows of payment.

use headwater_base::{Amount, LinkId};

/// What is bought over one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyerView {
    /// The link.
    pub link: LinkId,
    /// Bytes found good that came while an award stood.
    pub bytes: u64,
    /// What was promised for them.
    pub promised: Amount,
}

/// What is sold over one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SellerView {
    /// The link.
    pub link: LinkId,
    /// Bytes sent while an award stood.
    pub bytes: u64,
    /// What they come to.
    pub charged: Amount,
    /// Bytes its payer is given ahead of a voucher, and what they come to.
    pub credit: Option<(u64, Amount)>,
    /// What its payer was sent, over whatever links, and has not paid.
    pub debt: Amount,
}

/// Running totals of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayView {
    /// Links over which something was bought.
    pub buying: Vec<BuyerView>,
    /// Links over which something was sold.
    pub selling: Vec<SellerView>,
    /// All that this client promised and knows of.
    pub promised: Amount,
    /// All that was promised to it.
    pub earned: Amount,
    /// What of that the chain has paid.
    pub claimed: Amount,
    /// The chain of each session of which something is not claimed yet.
    pub claims: Vec<u64>,
    /// What was sent and is not promised yet.
    pub owed: Amount,
}
