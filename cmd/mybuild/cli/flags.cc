// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/flags.h"

#include "snapshotter/base/edit_distance.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

std::string shown(const FlagSpec& spec) {
  return spec.letter == 0 ? fmt::format("--{}", spec.name)
                          : fmt::format("-{}, --{}", spec.letter, spec.name);
}

}  // namespace

std::string closest(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

class FlagSet::Parser {
 public:
  Parser(const FlagSet& set, std::span<const std::string> args, Order order)
      : set_(set), args_(args), order_(order) {}

  Result<Parsed> run() {
    while (next_ < args_.size() && !parsed_.help) {
      const std::string& word = args_[next_++];
      if (word == "--") {
        take_rest();
      } else if (word.size() > 2 && word.starts_with("--")) {
        TRY(long_flag(std::string_view(word).substr(2)));
      } else if (word.size() > 1 && word.front() == '-') {
        TRY(short_flags(word));
      } else {
        parsed_.positionals.push_back(word);
        if (order_ == Order::FlagsFirst) {
          take_rest();
        }
      }
    }
    return std::move(parsed_);
  }

 private:
  void take_rest() {
    parsed_.positionals.insert(parsed_.positionals.end(),
                               args_.begin() + static_cast<std::ptrdiff_t>(next_), args_.end());
    next_ = args_.size();
  }

  Status long_flag(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Entry* entry = set_.find(name);
    if (entry == nullptr) {
      if (name == "help") {
        parsed_.help = true;
        return {};
      }
      return unknown(name);
    }
    if (equals != std::string_view::npos) {
      return apply(*entry, word.substr(equals + 1));
    }
    return apply_without_value(*entry, fmt::format("--{}", name));
  }

  Status short_flags(std::string_view word) {
    for (std::size_t i = 1; i < word.size() && !parsed_.help; ++i) {
      const Entry* entry = set_.find(word[i]);
      if (entry == nullptr) {
        if (word[i] == 'h') {
          parsed_.help = true;
          return {};
        }
        return invalid_argument("unknown shorthand flag: '{}' in {}", word[i], word);
      }
      const std::string_view rest = word.substr(i + 1);
      if (rest.starts_with('=')) {
        return apply(*entry, rest.substr(1));
      }
      if (!entry->row.spec->argument.empty() && !rest.empty()) {
        return apply(*entry, rest);
      }
      TRY(apply_without_value(*entry, fmt::format("'{}' in {}", word[i], word)));
    }
    return {};
  }

  Status apply_without_value(const Entry& entry, std::string_view written) {
    if (entry.row.spec->argument.empty() || !entry.row.supported) {
      return apply(entry, "true");
    }
    if (next_ == args_.size()) {
      return invalid_argument("flag needs an argument: {}", written);
    }
    return apply(entry, args_[next_++]);
  }

  static Status apply(const Entry& entry, std::string_view value) {
    if (!entry.row.supported) {
      return unsupported("--{} is not supported yet", entry.row.spec->name);
    }
    return entry.apply(entry.flag, entry.options, value)
        .context(
            fmt::format("invalid argument \"{}\" for \"{}\" flag", value, shown(*entry.row.spec)));
  }

  Status unknown(std::string_view name) const {
    std::vector<std::string_view> known;
    for (const Entry& entry : set_.entries_) {
      if (entry.row.supported) {
        known.push_back(entry.row.spec->name);
      }
    }
    Error error = invalid_argument("unknown flag: --{}", name);
    const std::string guess = closest(name, known);
    return guess.empty() ? error
                         : std::move(error).with_hint(fmt::format("did you mean --{}?", guess));
  }

  const FlagSet& set_;
  std::span<const std::string> args_;
  Order order_;
  std::size_t next_ = 0;
  Parsed parsed_;
};

Result<Parsed> FlagSet::parse(std::span<const std::string> args, Order order) const {
  return Parser(*this, args, order).run();
}

std::vector<FlagSet::Row> FlagSet::rows() const {
  std::vector<Row> rows;
  rows.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    rows.push_back(entry.row);
  }
  return rows;
}

const FlagSet::Entry* FlagSet::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.row.spec->name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const FlagSet::Entry* FlagSet::find(char letter) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.row.spec->letter == letter;
  });
  return found == entries_.end() ? nullptr : &*found;
}

}  // namespace mybuild::cli
