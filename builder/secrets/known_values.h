// SPDX-License-Identifier: Apache-2.0
// KnownValues: the values of secrets that one build has seen, to be kept out of what it shows and
// of what it gives to others. Values of fewer than four bytes are everywhere, and none of these.
// Of a value of several lines the lines of 16 bytes or more are values, too. Thread-safe.
#pragma once

#include "builder/secrets/secret_source.h"
#include "snapshotter/base/bytes.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::secrets {

class KnownValues {
 public:
  /// Without the line ends that a file has behind its value.
  void add(std::string_view value);
  /// The longest first.
  std::vector<std::string> values() const;
  bool empty() const;
  /// With "***" in the place of each value.
  std::string masked(std::string text) const;

 private:
  void add_one(std::string_view value);

  mutable std::mutex mutex_;
  std::vector<std::string> values_;
};

/// Puts "***" in the place of each of the values, the first ones first.
void mask_values(std::string& text, const std::vector<std::string>& values);

/// Gives what `source` gives, and notes it. Both outlive the answer.
std::unique_ptr<SecretSource> note_values(SecretSource& source, KnownValues& known);

/// The texts by which a value is recognised inside of files: itself, in hexadecimal of either case,
/// and as it appears inside of a longer base64 text (RFC 4648, both alphabets) at each of the three
/// places of a group.
std::vector<std::string> forms_of(std::string_view value);

/// Looks for the forms of values in what is written to it. Thread-compatible.
class ValueScan final : public Sink {
 public:
  explicit ValueScan(const std::vector<std::string>& values);
  Status write(ByteSpan bytes) override;
  bool found() const { return found_; }

 private:
  bool is_in(std::string_view text) const;

  /// By a hash of their first bytes.
  std::vector<std::vector<std::string>> forms_;
  std::size_t longest_ = 0;
  std::string tail_;  // of what came: a form may begin in it
  bool found_ = false;
};

}  // namespace mybuild::secrets
