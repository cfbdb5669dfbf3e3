// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// An account with code: it makes the calls it is told to, and on being paid may refuse the coin,
/// or call back.
contract Account {
    bool public refuses;
    bytes public back;
    /// How the call back ended.
    bool public answered;
    bytes public answer;

    function become(bool refuses_, bytes calldata back_) external {
        refuses = refuses_;
        back = back_;
    }

    function act(address target, bytes calldata data) external payable {
        (bool done, bytes memory said) = target.call{value: msg.value}(data);
        if (!done) {
            assembly {
                revert(add(said, 32), mload(said))
            }
        }
    }

    receive() external payable {
        require(!refuses);
        if (back.length != 0) (answered, answer) = msg.sender.call(back);
    }
}
