// SPDX-License-Identifier: Apache-2.0
// What the messages are made of, in JSON: readers that refuse what breaks a limit, and how bytes,
// digests, records and facts are written. Internal to the box. Pure functions.
#pragma once

#include "builder/cache_server/protocol/messages.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild {
class JsonField;
}

namespace mybuild::cache_server {

/// RFC 4648, section 5, without padding.
std::string base64url_encode(std::string_view bytes);
/// Of one form only: what encodes to another text is none.
std::optional<std::string> base64url_decode(std::string_view text);

/// An object of kMaxMessageBytes at most.
Result<nlohmann::json> parse_message(std::string_view text);

/// Fails when it is missing; zero is a digest here.
Result<Digest> read_digest(const JsonField& field);
/// A digest that names something.
Result<Digest> read_key(const JsonField& field);
/// None if absent.
Result<std::vector<Digest>> read_digests(const JsonField& field, std::size_t limit);
/// Not negative, `limit` at most; 0 if absent.
Result<std::uint64_t> read_number(const JsonField& field, std::uint64_t limit);
/// "" if absent.
Result<std::string> read_text(const JsonField& field, std::size_t limit);
/// A namespace.
Result<std::string> read_space(const JsonField& field);
/// None if absent.
Result<std::vector<JsonField>> read_list(const JsonField& field, std::size_t limit);
Result<std::map<std::string, std::string>> read_facts(const JsonField& field);

Result<StepRecord> read_step_record(const JsonField& field);
nlohmann::json to_json(const StepRecord& record);
Result<SignedRecord> read_signed_record(const JsonField& field);
nlohmann::json to_json(const SignedRecord& record);
nlohmann::json to_json(const std::vector<Digest>& digests);

}  // namespace mybuild::cache_server
