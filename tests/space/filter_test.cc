// SPDX-License-Identifier: Apache-2.0
#include "builder/space/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::space {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'764'439'200;  // 2025-11-29T18:00:00Z

Item mount() {
  return {.place = Place::CacheMount,
          .type = ItemType::CacheMount,
          .id = "abcdef",
          .size = 1,
          .created = kNow,
          .last_used = kNow,
          .in_use = true,
          .name = "go",
          .description = "cache mount \"go\""};
}

bool matches(std::initializer_list<std::string_view> texts) {
  Filter filter;
  for (const std::string_view text : texts) {
    const Status added = filter.add(text, kNow);
    EXPECT_TRUE(added) << text << ": " << (added ? "" : added.error().message());
  }
  return filter.matches(mount());
}

TEST(Filter, EachKeyIsCompared) {
  const std::pair<const char*, bool> kCases[] = {
      {"id=abc", true},
      {"id=bcd", false},
      {"id~=cde$", false},
      {"id~=cdef$", true},
      {"id!=abc", false},
      {"type=exec.cachemount", true},
      {"type==exec.cachemount", true},
      {"type=regular", false},
      {"type!=regular", true},
      {"type~=^exec", true},
      {"type=source.local", false},
      {"description~=go", true},
      {"description=go", false},
      {"inuse=true", true},
      {"inuse=false", false},
      {"inuse", true},
      {"inuse!=true", false},
      {"shared=0", true},
      {"shared", false},
      {"private", true},
      {"mutable", true},
      {"immutable=true", false},
      {"type=exec.cachemount,inuse=false", false},
      {"type=exec.cachemount,inuse=true", true},
  };
  for (const auto& [text, expected] : kCases) {
    EXPECT_EQ(matches({text}), expected) << text;
  }
}

TEST(Filter, ValuesOfAKeyAreAlternativesKeysAreNot) {
  EXPECT_TRUE(matches({"type=regular", "type=exec.cachemount"}));
  EXPECT_TRUE(matches({"type=regular,type=exec.cachemount"}));
  EXPECT_FALSE(matches({"type=exec.cachemount", "id=x"}));
  EXPECT_FALSE(matches({"type!=regular", "type!=exec.cachemount"}));
  EXPECT_TRUE(matches({}));
}

TEST(Filter, UntilIsAnAgeOrATime) {
  const std::pair<const char*, std::int64_t> kCases[] = {
      {"24h", 86'400},
      {"1h30m", 5400},
      {"10d", 864'000},
      {"0s", 0},
      {"2025-11-29T17:00:00Z", 3600},
      {"2025-11-29T19:00:00+02:00", 3600},
      {"2025-11-28", 151'200},
      {"1764439100", 100},
      {"2030-01-01", 0},
  };
  for (const auto& [text, expected] : kCases) {
    const auto age = parse_until(text, kNow);
    ASSERT_TRUE(age) << text << ": " << age.error().message();
    EXPECT_EQ(age->count(), expected) << text;
  }
  Filter filter;
  EXPECT_TRUE(filter.add("until=24h,type=regular", kNow));
  EXPECT_EQ(filter.unused_for(), std::chrono::hours(24));
}

TEST(Filter, WhatIsNotUnderstoodIsRefusedByName) {
  const std::pair<const char*, const char*> kCases[] = {
      {"label=x", "there is no filter 'label'"},
      {"", "there is no filter ''"},
      {"until=yesterday", "'yesterday' is neither an age nor a time"},
      {"until=-1h", "neither an age nor a time"},
      {"until!=1h", "filter until takes one value"},
      {"type=exec.cachemounts", "there is no type 'exec.cachemounts'"},
      {"inuse=maybe", "filter inuse"},
      {"inuse~=x", "filter inuse is true or false"},
      {"id=", "filter id has no value"},
      {"id~=(", "'(' is not a regular expression"},
      {"id=a,,", "there is no filter ''"},
  };
  for (const auto& [text, expected] : kCases) {
    Filter filter;
    const Status added = filter.add(text, kNow);
    ASSERT_FALSE(added) << text;
    EXPECT_THAT(added.error().message(), HasSubstr(expected)) << text;
  }
  Filter filter;
  EXPECT_EQ(filter.add("label=x", kNow).error().hint(),
            "filters are until, id, type, description, inuse, shared, private, mutable, immutable");
}

}  // namespace
}  // namespace mybuild::space
