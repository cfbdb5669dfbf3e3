// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// A token that behaves in whatever way it is told to. Anyone may mint, and nobody need approve.
contract HostileToken {
    /// What comes of a transfer.
    enum Way {
        /// Moves, and returns true.
        Good,
        /// Moves, and returns nothing.
        Silent,
        /// Moves, and returns false.
        SaysFalse,
        /// Does not move, and returns false.
        MovesNothing,
        /// Does not move, and returns true.
        Lies,
        /// The receiver gets a tenth less.
        TakesFee,
        /// The sender pays a tenth more.
        ChargesSender,
        /// The receiver gets ten times as much.
        Multiplies,
        /// The receiver has less than before.
        Robs,
        /// Calls back into the vault before it moves.
        CallsBack
    }

    Way public way;
    bytes public back;
    /// How the call back ended, as its revert data.
    bytes public answer;
    bool public answered;
    mapping(address => uint256) public balanceOf;

    function become(Way way_, bytes calldata back_) external {
        way = way_;
        back = back_;
    }

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    /// What the token does to the vault from outside of a transfer, as an owner of its own.
    function act(address vault, bytes calldata data) external {
        (bool done, bytes memory said) = vault.call(data);
        if (!done) {
            assembly {
                revert(add(said, 32), mload(said))
            }
        }
    }

    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        _move(from, to, value);
    }

    function _move(address from, address to, uint256 value) private {
        if (way == Way.CallsBack) (answered, answer) = msg.sender.call(back);
        uint256 tenth = value / 10;
        uint256 out = way == Way.ChargesSender ? value + tenth : value;
        uint256 gain = value;
        if (way == Way.TakesFee) gain = value - tenth;
        if (way == Way.Multiplies) gain = value * 10;
        if (way == Way.Robs) {
            balanceOf[to] -= tenth;
            gain = 0;
        }
        if (way == Way.MovesNothing || way == Way.Lies) (out, gain) = (0, 0);
        balanceOf[from] -= out;
        balanceOf[to] += gain;
        _answer();
    }

    /// Ends the call with what it returns.
    function _answer() private view {
        if (way == Way.Silent) return;
        bool said = way != Way.SaysFalse && way != Way.MovesNothing;
        assembly {
            mstore(0, said)
            return(0, 32)
        }
    }
}
