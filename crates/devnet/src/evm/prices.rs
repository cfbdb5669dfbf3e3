//! What operations cost: TRON's energy, or Ethereum's gas as BTTC counts it.

use revm::context_interface::cfg::gas_params::{GasId, GasParams};
use revm::primitives::hardfork::SpecId;

/// What a byte of a new contract costs, on both.
pub const CODE_BYTE: u64 = 200;

/// A list of prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// TRON's. Nothing for the transaction itself and its data, which pay bandwidth; storage at
    /// 20000 to fill a slot and 5000 to change one, every time; nothing is refunded.
    Energy,
    /// Ethereum's, with what a transaction costs before it does anything.
    Gas,
}

impl Prices {
    /// Where the machine finds each price.
    pub(super) fn table(self) -> GasParams {
        let mut table = GasParams::new_spec(SpecId::MERGE);
        match self {
            Self::Gas => table,
            Self::Energy => {
                table.override_gas([
                    (GasId::tx_base_stipend(), 0),
                    (GasId::tx_token_cost(), 0),
                    (GasId::cold_account_additional_cost(), 0),
                    (GasId::cold_storage_additional_cost(), 0),
                    (GasId::cold_storage_cost(), 0),
                    (GasId::sstore_static(), 5_000),
                    (GasId::sstore_reset_without_cold_load_cost(), 0),
                    (GasId::sstore_set_without_load_cost(), 15_000),
                    (GasId::sstore_set_refund(), 0),
                    (GasId::sstore_reset_refund(), 0),
                    (GasId::sstore_clearing_slot_refund(), 0),
                ]);
                table
            }
        }
    }
}
