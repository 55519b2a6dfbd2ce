// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Signatures of keys on BN254 as the deployed key registrar checks them: signature in G1, key in G1 and G2.
library Bn254Signature {
    uint256 internal constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// The generator of G2, negated, imaginary parts first.
    uint256 internal constant X1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 internal constant X0 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 internal constant Y1 = 17805874995975841540914202342111839520379459829704422454583296818431106115052;
    uint256 internal constant Y0 = 13392588948715843804641432497768002650278120570034223513918757245338268106653;

    /// e(signature, G2) = e(H(digest), key2) and e(key1, G2) = e(G1, key2).
    function isValid(bytes32 digest, uint256[2] memory signature, uint256[2] memory key1, uint256[4] memory key2)
        internal
        view
        returns (bool)
    {
        return isEqual(signature, hashToG1(digest), key2) && isEqual(key1, [uint256(1), uint256(2)], key2);
    }

    function isEqual(uint256[2] memory a, uint256[2] memory b, uint256[4] memory key2) private view returns (bool) {
        bytes memory input = abi.encode(a, X1, X0, Y1, Y0, b, key2);
        (bool ok, bytes memory answer) = address(8).staticcall(input);
        return ok && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }

    function hashToG1(bytes32 digest) private view returns (uint256[2] memory point) {
        uint256 x = uint256(digest) % P;
        for (;;) {
            uint256 beta = addmod(mulmod(mulmod(x, x, P), x, P), 3, P);
            bytes memory input = abi.encode(uint256(32), uint256(32), uint256(32), beta, (P + 1) / 4, P);
            (, bytes memory answer) = address(5).staticcall(input);
            uint256 y = abi.decode(answer, (uint256));
            if (mulmod(y, y, P) == beta) return [x, y];
            x = addmod(x, 1, P);
        }
    }
}

/// @title OperatorRegistry: operator sets for a devnet.
/// @notice One contract that stands for AllocationManager, KeyRegistrar, DelegationManager and the AVS registrar, with the reads and writes of
/// theirs that an operator makes. Keys registered by operators themselves are checked as in the deployed one; the owner's shortcuts
/// check nothing. No stake, no delays, and an allowlist only where the owner asks for one. Not for a public chain.
contract OperatorRegistry {
    struct OperatorSet { address avs; uint32 id; }
    struct G1Point { uint256 X; uint256 Y; }
    struct G2Point { uint256[2] X; uint256[2] Y; }
    struct AvsConfig { uint32 operatorSetId; string platformRpcUrl; }
    struct RegisterParams { address avs; uint32[] operatorSetIds; bytes data; }
    struct DeregisterParams { address operator; address avs; uint32[] operatorSetIds; }
    enum CurveType { NONE, ECDSA, BN254 }

    event AvsConfigSet(uint32 operatorSetId, string platformRpcUrl);
    event OperatorSocketSet(address indexed operator, string socket);
    event OperatorAddedToOperatorSet(address indexed operator, OperatorSet operatorSet);
    event OperatorRemovedFromOperatorSet(address indexed operator, OperatorSet operatorSet);

    error InvalidCurveType();
    error AlreadyMember();
    error NotMember();
    error NotAllowed();
    error InvalidOperator();
    error OperatorNotAllowed(address operator, uint32 operatorSetId);
    error OperatorAlreadyRegistered();
    error KeyAlreadyRegistered();
    error KeyNotRegistered();
    error InvalidSignature();
    error InvalidKeyFormat();

    bytes32 internal constant ECDSA_TYPE =
        keccak256("ECDSAKeyRegistration(address operator,address avs,uint32 operatorSetId,address keyAddress)");
    bytes32 internal constant BN254_TYPE =
        keccak256("BN254KeyRegistration(address operator,address avs,uint32 operatorSetId,bytes keyData)");

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
    mapping(address => bool) public isOperator;
    /// Sets that admit only the operators on their list.
    mapping(bytes32 => bool) internal restricted;
    mapping(bytes32 => mapping(address => bool)) internal allowed;
    /// No key serves twice, not even after it was removed.
    mapping(bytes32 => bool) internal usedKeys;

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

    function restrictOperatorSet(OperatorSet calldata set) external onlyOwner {
        restricted[_key(set)] = true;
    }

    function addOperatorToAllowlist(OperatorSet calldata set, address operator) external onlyOwner {
        allowed[_key(set)][operator] = true;
    }

    function removeOperatorFromAllowlist(OperatorSet calldata set, address operator) external onlyOwner {
        allowed[_key(set)][operator] = false;
    }

    function isOperatorAllowed(OperatorSet memory set, address operator) public view returns (bool) {
        bytes32 k = _key(set);
        return !restricted[k] || allowed[k][operator];
    }

    function setAvsConfig(AvsConfig calldata next) external onlyOwner {
        config = next;
        emit AvsConfigSet(next.operatorSetId, next.platformRpcUrl);
    }

    function delegation() external view returns (address) {
        return address(this);
    }

    function registerAsOperator(address, uint32, string calldata) external {
        if (isOperator[msg.sender]) revert OperatorAlreadyRegistered();
        isOperator[msg.sender] = true;
    }

    function registerKey(address operator, OperatorSet calldata set, bytes calldata key, bytes calldata signature)
        external
        onlyOwnerOr(operator)
    {
        bytes32 k = _key(set);
        if (registered[k][operator]) revert KeyAlreadyRegistered();
        if (usedKeys[keccak256(key)]) revert KeyAlreadyRegistered();
        if (curve[k] == CurveType.ECDSA) {
            if (key.length != 20) revert InvalidKeyFormat();
            address keyAddress = address(bytes20(key));
            _checkEcdsa(getECDSAKeyRegistrationMessageHash(operator, set, keyAddress), keyAddress, signature);
            ecdsa[k][operator] = keyAddress;
        } else if (curve[k] == CurveType.BN254) {
            if (key.length != 192) revert InvalidKeyFormat();
            _checkBn254(getBN254KeyRegistrationMessageHash(operator, set, key), key, signature);
            (g1[k][operator], g2[k][operator]) = abi.decode(key, (G1Point, G2Point));
        } else {
            revert InvalidCurveType();
        }
        registered[k][operator] = true;
        usedKeys[keccak256(key)] = true;
    }

    function deregisterKey(address operator, OperatorSet calldata set) external onlyOwnerOr(operator) {
        bytes32 k = _key(set);
        if (position[k][operator] != 0) revert AlreadyMember();
        if (!registered[k][operator]) revert KeyNotRegistered();
        registered[k][operator] = false;
    }

    function registerForOperatorSets(address operator, RegisterParams calldata params) external onlyOwnerOr(operator) {
        if (!isOperator[operator]) revert InvalidOperator();
        for (uint256 i = 0; i < params.operatorSetIds.length; i++) {
            OperatorSet memory set = OperatorSet(params.avs, params.operatorSetIds[i]);
            if (!registered[_key(set)][operator]) revert KeyNotRegistered();
            if (!isOperatorAllowed(set, operator)) revert OperatorNotAllowed(operator, set.id);
            _join(set, operator);
        }
        _setSocket(operator, abi.decode(params.data, (string)));
    }

    function deregisterFromOperatorSets(DeregisterParams calldata params) external onlyOwnerOr(params.operator) {
        for (uint256 i = 0; i < params.operatorSetIds.length; i++) {
            _leave(OperatorSet(params.avs, params.operatorSetIds[i]), params.operator);
        }
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
        _join(set, operator);
        _setSocket(operator, socket);
    }

    function deregisterFromOperatorSet(OperatorSet calldata set, address operator) external onlyOwnerOr(operator) {
        _leave(set, operator);
    }

    function updateSocket(address operator, string calldata socket) external onlyOwnerOr(operator) {
        _setSocket(operator, socket);
    }

    function getECDSAKeyRegistrationMessageHash(address operator, OperatorSet calldata set, address keyAddress)
        public
        view
        returns (bytes32)
    {
        return _typed(keccak256(abi.encode(ECDSA_TYPE, operator, set.avs, set.id, keyAddress)));
    }

    function getBN254KeyRegistrationMessageHash(address operator, OperatorSet calldata set, bytes calldata key)
        public
        view
        returns (bytes32)
    {
        return _typed(keccak256(abi.encode(BN254_TYPE, operator, set.avs, set.id, keccak256(key))));
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

    function _typed(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("EigenLayer"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function _checkEcdsa(bytes32 digest, address keyAddress, bytes calldata signature) internal pure {
        if (signature.length != 65) revert InvalidSignature();
        address signer =
            ecrecover(digest, uint8(signature[64]), bytes32(signature[0:32]), bytes32(signature[32:64]));
        if (signer == address(0) || signer != keyAddress) revert InvalidSignature();
    }

    function _checkBn254(bytes32 digest, bytes calldata key, bytes calldata signature) internal view {
        if (signature.length != 64) revert InvalidSignature();
        uint256[2] memory point = abi.decode(signature, (uint256[2]));
        (uint256[2] memory key1, uint256[4] memory key2) = abi.decode(key, (uint256[2], uint256[4]));
        if (!Bn254Signature.isValid(digest, point, key1, key2)) revert InvalidSignature();
    }

    function _join(OperatorSet memory set, address operator) internal {
        bytes32 k = _key(set);
        if (position[k][operator] != 0) revert AlreadyMember();
        members[k].push(operator);
        position[k][operator] = members[k].length;
        emit OperatorAddedToOperatorSet(operator, set);
    }

    function _leave(OperatorSet memory set, address operator) internal {
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

    function _setSocket(address operator, string memory socket) internal {
        sockets[operator] = socket;
        emit OperatorSocketSet(operator, socket);
    }
}
