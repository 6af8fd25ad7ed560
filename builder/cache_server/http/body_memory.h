// SPDX-License-Identifier: Apache-2.0
// BodyMemory: how much requests that are gathered, and answers that are made at once, may hold
// together. Nobody may hold more than is left for others, so one client takes half of it at most,
// two a third each, and there is always something for who comes next. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace mybuild::cache_server {

class BodyMemory {
 public:
  explicit BodyMemory(std::size_t bytes) : left_(bytes) {}

  /// What one request holds: taken as it is needed, and given back with the object. Who announces
  /// much and sends little keeps nobody out. Thread-compatible; the memory outlives it.
  class Share {
   public:
    /// `payer`: whose request it is, as others are told from him.
    Share(BodyMemory& memory, std::string payer) : memory_(memory), payer_(std::move(payer)) {}
    ~Share() { memory_.give_back(payer_, taken_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    /// From now on so much in all. False when there is not so much; what it has it keeps.
    bool hold(std::uint64_t bytes);

   private:
    BodyMemory& memory_;
    const std::string payer_;
    std::size_t taken_ = 0;
  };

 private:
  bool take(const std::string& payer, std::size_t bytes);
  void give_back(const std::string& payer, std::size_t bytes);

  std::mutex mutex_;
  std::size_t left_;
  std::unordered_map<std::string, std::size_t> taken_;  // by payer, none of them 0
};

}  // namespace mybuild::cache_server
