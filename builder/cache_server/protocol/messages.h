// SPDX-License-Identifier: Apache-2.0
// What client and server say to each other about records, as JSON both ways: each message has
// dump() for who sends it and a parser for who gets it, which refuses what breaks a limit.
// PROTOCOL.md says which address takes which. Value types.
#pragma once

#include "builder/cache_server/protocol/record.h"
#include "builder/cache_server/protocol/signature.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

inline constexpr std::size_t kMaxKeys = 10'000;      // of one lookup
inline constexpr std::size_t kMaxRecordsPerKey = 8;  // of an answer, for a definition; newest first
inline constexpr std::size_t kMaxPublished = 1'000;  // records of one request
inline constexpr std::size_t kMaxClaims = 1'000;     // of one request
inline constexpr std::size_t kMaxMessageBytes = 32 << 20;
inline constexpr std::size_t kMaxFacts = 1'024;         // of a record
inline constexpr std::size_t kMaxFactBytes = 64 << 10;  // of a record, names and values
inline constexpr std::size_t kMaxText = 1'024;          // owners, reasons
inline constexpr std::size_t kMaxClaimId = 64;
inline constexpr std::chrono::minutes kMaxClaimTime(30);  // that a claim makes others wait
inline constexpr std::chrono::minutes kMaxWait(1);        // of one request

// POST /cache/v1/lookup/<namespace>

struct LookupRequest {
  std::vector<Digest> definitions;
  std::vector<Digest> contents;
};
struct LookupAnswer {
  std::string space;                      // the namespace that was meant
  std::map<std::string, PublicKey> keys;  // of that namespace and its ancestors; a claim, no proof
  std::vector<SignedRecord> records;      // the ancestors' first
};

// POST /cache/v1/blobs/<namespace>: small blobs, many at once, each as it would come from /v2/. The
// answer is no JSON: for each blob that was asked for its length in 8 bytes, little endian, and its
// bytes; a length of all ones stands for one that is not there, too large, or beyond the limit of
// all together.

inline constexpr std::size_t kMaxBlobs = 1'000;
inline constexpr std::size_t kMaxSmallBlob = 256 << 10;
inline constexpr std::size_t kMaxBlobsBytes = 4 << 20;

struct BlobsRequest {
  std::vector<Digest> blobs;
};
/// nullopt: is not given. Nothing here is checked against its digest. Views into the answer.
using BlobsAnswer = std::vector<std::optional<std::string_view>>;

// POST /cache/v1/publish/<namespace>

struct PublishedRecord {
  StepRecord record;
  /// What went into the step, by name, for explain: digests or short texts.
  std::map<std::string, std::string> facts;
};
struct PublishRequest {
  std::vector<PublishedRecord> records;
};
enum class PublishResult {
  Accepted,
  Known,      // there already, by this writer or another: the same outcome
  Different,  // there already, with another output: the step is not deterministic
  Refused,    // its blob is not there, or it cannot be a record
};
struct PublishAnswer {
  struct One {
    PublishResult result = PublishResult::Refused;
    std::string message;  // why, where it is no success
  };
  std::vector<One> results;  // in the order of the request
};

// POST /cache/v1/claim/<namespace>, and heartbeat and release, which take claim ids

struct ClaimRequest {
  struct Step {
    Digest definition;  // says how long it took before
    Digest content;
  };
  std::string owner;  // for people: host, process
  std::vector<Step> steps;
};
enum class ClaimResult {
  Granted,  // run it; heartbeats keep the claim
  Held,     // somebody runs it; wait so long at most
  Known,    // there is a record meanwhile
};
struct ClaimAnswer {
  struct One {
    ClaimResult result = ClaimResult::Granted;
    std::string claim;                     // with Granted
    std::chrono::milliseconds time{};      // Granted: until it expires; Held: what is left to wait
    std::string owner;                     // with Held
    std::optional<SignedRecord> record{};  // with Known
  };
  std::vector<One> results;
};
struct ClaimList {
  std::vector<std::string> claims;
};

// POST /cache/v1/wait/<namespace>: answered when one of the steps has a record or is free again, or
// when the time is over

struct WaitRequest {
  std::vector<Digest> contents;
  std::chrono::milliseconds timeout{};  // a minute at most
};
struct WaitAnswer {
  std::vector<Digest> over;           // of which nobody has a claim any more
  std::vector<SignedRecord> records;  // what they gave
};

// POST /cache/v1/explain/<namespace>

struct ExplainRequest {
  std::string step;
  std::map<std::string, std::string> facts;
};
struct ExplainAnswer {
  struct Near {
    SignedRecord record;
    std::vector<std::string> different;  // names of facts that are not the same, sorted
  };
  std::vector<Near> nearest;  // the nearest first, five at most
};

/// How much longer the record makes a message, at most: an answer that would break the limit of
/// one ends before.
std::size_t message_bytes(const SignedRecord& record);

std::string dump(const LookupRequest& message);
std::string dump(const LookupAnswer& message);
std::string dump(const BlobsRequest& message);
std::string dump(const BlobsAnswer& message);
std::string dump(const PublishRequest& message);
std::string dump(const PublishAnswer& message);
std::string dump(const ClaimRequest& message);
std::string dump(const ClaimAnswer& message);
std::string dump(const ClaimList& message);
std::string dump(const WaitRequest& message);
std::string dump(const WaitAnswer& message);
std::string dump(const ExplainRequest& message);
std::string dump(const ExplainAnswer& message);

// From anywhere; InvalidArgument says what is wrong.
Result<LookupRequest> parse_lookup_request(std::string_view text);
Result<LookupAnswer> parse_lookup_answer(std::string_view text);
Result<BlobsRequest> parse_blobs_request(std::string_view text);
/// `count`: how many were asked for. Views into `text`.
Result<BlobsAnswer> parse_blobs_answer(std::string_view text, std::size_t count);
Result<PublishRequest> parse_publish_request(std::string_view text);
Result<PublishAnswer> parse_publish_answer(std::string_view text);
Result<ClaimRequest> parse_claim_request(std::string_view text);
Result<ClaimAnswer> parse_claim_answer(std::string_view text);
Result<ClaimList> parse_claim_list(std::string_view text);
Result<WaitRequest> parse_wait_request(std::string_view text);
Result<WaitAnswer> parse_wait_answer(std::string_view text);
Result<ExplainRequest> parse_explain_request(std::string_view text);
Result<ExplainAnswer> parse_explain_answer(std::string_view text);

}  // namespace mybuild::cache_server
