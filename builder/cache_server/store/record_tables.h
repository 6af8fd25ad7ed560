// SPDX-License-Identifier: Apache-2.0
// RecordTables: signed records of steps, by what they are asked for. The first writer of a content
// key in a namespace is kept. A record is there only together with the link of its blob.
// Thread-safe.
#pragma once

#include "builder/cache_server/protocol/messages.h"
#include "builder/cache_server/protocol/record.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cache_server {

/// Signs the body of a record for its namespace.
using Sign = std::function<Result<std::string>(const std::string& body)>;

class RecordTables {
 public:
  virtual ~RecordTables() = default;

  /// Into the first of these namespaces, the others being its ancestors: a blob that one of them
  /// has, of the size that the record says, is linked there, too. One transaction for all records.
  /// One whose content key is known there keeps the outcome of the first, under its own definition
  /// key. Different is counted.
  virtual Result<PublishAnswer> publish(const std::vector<std::string>& spaces,
                                        const std::vector<PublishedRecord>& records,
                                        const Sign& sign, Time now) = 0;
  /// Of these namespaces, the last of the list first, as a parent's word counts before a child's;
  /// of a definition the newest kMaxRecordsPerKey, each record once, and no more than a message
  /// holds. What is found counts as used, and stays with its blob until `promised`: that is on the
  /// disk when the call returns. It is written for a quarter longer than asked, so that who asks
  /// again soon changes nothing; the last use is known as exactly as that. Only when the disk is
  /// full records are found without a promise.
  virtual Result<std::vector<SignedRecord>> lookup(const std::vector<std::string>& spaces,
                                                   const LookupRequest& keys, Time now,
                                                   Time promised) = 0;
  /// The longest that a step of this definition took, of the newest of each of these namespaces.
  virtual Result<std::optional<std::chrono::milliseconds>> cost(
      const std::vector<std::string>& spaces, const Digest& definition) = 0;
  /// Of the newest records of that step, those that differ by the fewest facts first.
  virtual Result<ExplainAnswer> nearest(const std::vector<std::string>& spaces,
                                        const ExplainRequest& request) = 0;

  struct Pin {
    std::string space;
    Digest content;
  };
  /// False when there is no such record. A pinned one is never evicted.
  virtual Result<bool> set_pin(const Pin& pin, bool is_pinned) = 0;
  virtual Result<std::vector<Pin>> pins() = 0;
  /// What a stolen token wrote, say: by the time at which the server took it. Not what is pinned.
  /// In transactions of some hundred. Returns how many went.
  virtual Result<std::uint64_t> remove_since(const std::string& space, Time since) = 0;
  /// Every record of which this is the layer: its bytes are lost.
  virtual Result<std::uint64_t> remove_of_blob(const Digest& blob) = 0;
  struct Enough {
    std::uint64_t blob_bytes = 0;    // of blobs that no record needs any more
    std::uint64_t record_bytes = 0;  // as Counts has them
    Time used_before = Time::max();  // for blobs only records that came or were used before
  };
  /// The records that are worth least, until both are enough; blobs that nothing needs any more
  /// count as unused from then on. Not those that are pinned or promised, and for blobs not those
  /// of one that something else keeps or that somebody has found (RepositoryTables::kInUse) since
  /// a record named it; but those that were published just now, if nothing older is left. Worth
  /// least is
  /// what was not used for longest; of what costs much to make for its bytes up to eight times as
  /// long counts as equal, whatever cost its writer claims. In transactions of some hundred, so
  /// that nobody waits for long; `go_on` is asked after each, an error or a no ends it early.
  /// Returns how many went.
  virtual Result<std::uint64_t> evict(const Enough& enough, Time now,
                                      const std::function<Result<bool>()>& go_on) = 0;

  /// Likewise of one namespace, until its links to blobs that none of its records needs any more
  /// have `enough` bytes. Looks at all of its records.
  virtual Result<std::uint64_t> evict_of(const std::string& space, std::uint64_t enough, Time now,
                                         const std::function<Result<bool>()>& go_on) = 0;

  struct Counts {
    std::uint64_t records = 0;
    std::uint64_t different = 0;  // outcomes that were refused as they differ
    std::uint64_t bytes = 0;      // that records take in the store, about
  };
  virtual Result<Counts> counts() = 0;
};

}  // namespace mybuild::cache_server
