// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// @title OperatorRegistry: operator sets for a devnet.
/// @notice One contract that answers the reads an operator makes of AllocationManager, KeyRegistrar and the AVS
/// registrar, so its address stands for all three. It checks no key and no stake. Not for a public chain.
contract OperatorRegistry {
    struct OperatorSet { address avs; uint32 id; }
    struct G1Point { uint256 X; uint256 Y; }
    struct G2Point { uint256[2] X; uint256[2] Y; }
    struct AvsConfig { uint32 operatorSetId; string platformRpcUrl; }
    enum CurveType { NONE, ECDSA, BN254 }

    event AvsConfigSet(uint32 operatorSetId, string platformRpcUrl);
    event OperatorSocketSet(address indexed operator, string socket);
    event OperatorAddedToOperatorSet(address indexed operator, OperatorSet operatorSet);
    event OperatorRemovedFromOperatorSet(address indexed operator, OperatorSet operatorSet);

    error InvalidCurveType();
    error AlreadyMember();
    error NotMember();
    error NotAllowed();

    address public immutable owner;
    AvsConfig internal config;
    mapping(bytes32 => address[]) internal members;
    /// Position in `members` plus one; 0 is no member.
    mapping(bytes32 => mapping(address => uint256)) internal position;
    mapping(bytes32 => CurveType) internal curve;
    mapping(bytes32 => mapping(address => G1Point)) internal g1;
    mapping(bytes32 => mapping(address => G2Point)) internal g2;
    mapping(bytes32 => mapping(address => address)) internal ecdsa;
    mapping(bytes32 => mapping(address => bool)) internal registered;
    /// Per operator, not per set: as in the deployed registrar.
    mapping(address => string) internal sockets;

    constructor() {
        owner = msg.sender;
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotAllowed();
        _;
    }

    modifier onlyOwnerOr(address operator) {
        if (msg.sender != owner && msg.sender != operator) revert NotAllowed();
        _;
    }

    function configureOperatorSet(OperatorSet calldata set, CurveType curveType) external onlyOwner {
        curve[_key(set)] = curveType;
    }

    function setAvsConfig(AvsConfig calldata next) external onlyOwner {
        config = next;
        emit AvsConfigSet(next.operatorSetId, next.platformRpcUrl);
    }

    function registerEcdsaKey(OperatorSet calldata set, address operator, address key) external onlyOwnerOr(operator) {
        bytes32 k = _key(set);
        if (curve[k] != CurveType.ECDSA) revert InvalidCurveType();
        ecdsa[k][operator] = key;
        registered[k][operator] = true;
    }

    function registerBn254Key(OperatorSet calldata set, address operator, G1Point calldata a, G2Point calldata b)
        external
        onlyOwnerOr(operator)
    {
        bytes32 k = _key(set);
        if (curve[k] != CurveType.BN254) revert InvalidCurveType();
        g1[k][operator] = a;
        g2[k][operator] = b;
        registered[k][operator] = true;
    }

    /// Joins the set without asking for a key: a member without one is a case that readers must name.
    function registerForOperatorSet(OperatorSet calldata set, address operator, string calldata socket)
        external
        onlyOwner
    {
        bytes32 k = _key(set);
        if (position[k][operator] != 0) revert AlreadyMember();
        members[k].push(operator);
        position[k][operator] = members[k].length;
        emit OperatorAddedToOperatorSet(operator, set);
        _setSocket(operator, socket);
    }

    function deregisterFromOperatorSet(OperatorSet calldata set, address operator) external onlyOwnerOr(operator) {
        bytes32 k = _key(set);
        uint256 place = position[k][operator];
        if (place == 0) revert NotMember();
        address last = members[k][members[k].length - 1];
        members[k][place - 1] = last;
        position[k][last] = place;
        members[k].pop();
        position[k][operator] = 0;
        emit OperatorRemovedFromOperatorSet(operator, set);
    }

    function updateSocket(address operator, string calldata socket) external onlyOwnerOr(operator) {
        _setSocket(operator, socket);
    }

    function isOperatorSet(OperatorSet calldata set) external view returns (bool) {
        return curve[_key(set)] != CurveType.NONE;
    }

    function getMembers(OperatorSet calldata set) external view returns (address[] memory) {
        return members[_key(set)];
    }

    function getAVSRegistrar(address) external view returns (address) {
        return address(this);
    }

    function getOperatorSetCurveType(OperatorSet calldata set) external view returns (CurveType) {
        return curve[_key(set)];
    }

    function isRegistered(OperatorSet calldata set, address operator) external view returns (bool) {
        return registered[_key(set)][operator];
    }

    function getBN254Key(OperatorSet calldata set, address operator)
        external
        view
        returns (G1Point memory g1Point, G2Point memory g2Point)
    {
        bytes32 k = _key(set);
        if (curve[k] != CurveType.BN254) revert InvalidCurveType();
        return (g1[k][operator], g2[k][operator]);
    }

    function getECDSAAddress(OperatorSet calldata set, address operator) external view returns (address) {
        bytes32 k = _key(set);
        if (curve[k] != CurveType.ECDSA) revert InvalidCurveType();
        return ecdsa[k][operator];
    }

    function getOperatorSocket(address operator) external view returns (string memory) {
        return sockets[operator];
    }

    function getAvsConfig() external view returns (AvsConfig memory) {
        return config;
    }

    function _key(OperatorSet memory set) internal pure returns (bytes32) {
        return keccak256(abi.encode(set.avs, set.id));
    }

    function _setSocket(address operator, string calldata socket) internal {
        sockets[operator] = socket;
        emit OperatorSocketSet(operator, socket);
    }
}
