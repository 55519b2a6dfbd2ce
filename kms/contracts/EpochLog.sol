// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// @title EpochLog: the order of key epochs, and nothing else.
/// @notice Operators post certified epoch outputs and complaints here. The contract has no owner, keeps no
/// body and judges none: readers verify what they read. It gives what signatures cannot give, one order that
/// everybody sees, and a chain of links by which a reader notices that an answer about the log left something out.
/// @dev `set` is keccak256(abi.encode(address avs, uint32 operatorSetId)).
contract EpochLog {
    struct Head {
        uint64 firstBlock;
        uint64 lastBlock;
        uint64 count;
        /// Bytes posted in `lastBlock`.
        uint64 blockBytes;
    }

    /// Enough for an output with 250 members and as many signatures.
    uint256 public constant MAX_ENTRY_BYTES = 65536;
    uint256 public constant MAX_COMPLAINT_BYTES = 32768;
    /// Of one set in one block, so that no block's events are more than a reader can ask for at once. Each post
    /// counts POST_OVERHEAD_BYTES beside its body.
    uint256 public constant MAX_BLOCK_BYTES = 3145728;
    uint256 public constant POST_OVERHEAD_BYTES = 512;

    /// @param prev Hash of the output that this one follows; zero for genesis.
    /// @param previousBlock Block of the last post of this set before this one (entry or complaint), 0 for the
    /// first one; equal to the own block number when that post is in the same block.
    event EntryPosted(
        bytes32 indexed set,
        uint64 indexed epoch,
        bytes32 indexed prev,
        bytes32 outputHash,
        address poster,
        uint64 previousBlock,
        bytes body
    );
    event ComplaintPosted(
        bytes32 indexed set,
        uint64 indexed epoch,
        address poster,
        uint64 previousBlock,
        bytes body
    );

    error BodyEmpty();
    error BodyTooLarge(uint256 size, uint256 limit);
    error BlockFull();

    mapping(bytes32 => Head) private _heads;

    /// @return firstBlock Block of the set's first post, 0 when there is none.
    /// @return lastBlock Block of its newest post.
    /// @return count Number of its posts, entries and complaints together.
    function heads(bytes32 set) external view returns (uint64 firstBlock, uint64 lastBlock, uint64 count) {
        Head memory head = _heads[set];
        return (head.firstBlock, head.lastBlock, head.count);
    }

    function post(bytes32 set, uint64 epoch, bytes32 prev, bytes32 outputHash, bytes calldata body) external {
        _checkSize(body.length, MAX_ENTRY_BYTES);
        emit EntryPosted(set, epoch, prev, outputHash, msg.sender, _link(set, body.length), body);
    }

    function complain(bytes32 set, uint64 epoch, bytes calldata body) external {
        _checkSize(body.length, MAX_COMPLAINT_BYTES);
        emit ComplaintPosted(set, epoch, msg.sender, _link(set, body.length), body);
    }

    function _checkSize(uint256 size, uint256 limit) private pure {
        if (size == 0) revert BodyEmpty();
        if (size > limit) revert BodyTooLarge(size, limit);
    }

    function _link(bytes32 set, uint256 size) private returns (uint64 previousBlock) {
        Head memory head = _heads[set];
        previousBlock = head.lastBlock;
        if (head.count == 0) head.firstBlock = uint64(block.number);
        uint256 inBlock = size + POST_OVERHEAD_BYTES;
        if (previousBlock == uint64(block.number)) inBlock += head.blockBytes;
        if (inBlock > MAX_BLOCK_BYTES) revert BlockFull();
        _heads[set] = Head(head.firstBlock, uint64(block.number), head.count + 1, uint64(inBlock));
    }
}
