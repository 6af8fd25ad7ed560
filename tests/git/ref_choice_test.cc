// SPDX-License-Identifier: Apache-2.0
// What a name means among those that a server has.
#include "builder/git/ref_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::git {
namespace {

using ::testing::HasSubstr;

std::string id(char digit) {
  return std::string(40, digit);
}

std::vector<AdvertisedRef> refs() {
  return {{"HEAD", id('1'), "refs/heads/main"}, {"refs/heads/main", id('1'), ""},
          {"refs/heads/both", id('2'), ""},     {"refs/tags/both", id('3'), ""},
          {"refs/tags/v1.0", id('4'), ""},      {"refs/tags/v1.0^{}", id('5'), ""},
          {"refs/pull/7/head", id('6'), ""}};
}

TEST(RefChoice, the_order_is_buildkits) {
  const struct {
    const char* wanted;
    const char* name;
    char object;
    char commit;
  } cases[] = {{"", "refs/heads/main", '1', '1'},
               {"main", "refs/heads/main", '1', '1'},
               {"both", "refs/heads/both", '2', '2'},
               {"tags/both", "refs/tags/both", '3', '3'},
               {"refs/tags/both", "refs/tags/both", '3', '3'},
               {"heads/main", "refs/heads/main", '1', '1'},
               {"v1.0", "refs/tags/v1.0", '4', '5'},
               {"pull/7/head", "refs/pull/7/head", '6', '6'},
               {"HEAD", "refs/heads/main", '1', '1'}};
  for (const auto& c : cases) {
    const Result<ChosenRef> ref = choose_ref(refs(), c.wanted);
    ASSERT_TRUE(ref) << c.wanted;
    EXPECT_EQ(ref->name, c.name) << c.wanted;
    EXPECT_EQ(ref->object, id(c.object)) << c.wanted;
    EXPECT_EQ(ref->commit, id(c.commit)) << c.wanted;
  }
}

TEST(RefChoice, what_is_not_there_is_said_with_what_is_close) {
  const Result<ChosenRef> wrong = choose_ref(refs(), "mian");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(wrong.error().message(), HasSubstr("'mian'"));
  EXPECT_EQ(choose_ref(refs(), "maim").error().hint(), "did you mean main?");
  EXPECT_EQ(choose_ref(refs(), "v1.1").error().hint(), "did you mean v1.0?");
  EXPECT_EQ(choose_ref(refs(), "refs/heads/mair").error().hint(), "did you mean main?");
  EXPECT_THAT(choose_ref(refs(), "abcdef12").error().hint(), HasSubstr("40 digits"));
  EXPECT_THAT(choose_ref({}, "").error().message(), HasSubstr("no HEAD"));
}

TEST(RefChoice, a_checksum_is_a_commit_or_how_it_begins) {
  const ChosenRef tag{.name = "refs/tags/v1.0", .object = id('4'), .commit = id('5')};
  EXPECT_TRUE(check_commit("", tag));
  EXPECT_TRUE(check_commit("5555555", tag));
  EXPECT_TRUE(check_commit(id('5'), tag));
  EXPECT_TRUE(check_commit(id('4'), tag));
  EXPECT_FALSE(check_commit("555555", tag));
  EXPECT_FALSE(check_commit("zzzzzzzz", tag));
  const Status other = check_commit("6666666", tag);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), HasSubstr("6666666"));
  EXPECT_THAT(other.error().message(), HasSubstr(id('5')));
}

TEST(RefChoice, only_a_whole_lower_case_id_is_a_commit) {
  EXPECT_TRUE(is_commit_id(id('a')));
  EXPECT_FALSE(is_commit_id(id('A')));
  EXPECT_FALSE(is_commit_id("abcdef1"));
  EXPECT_FALSE(is_commit_id(id('a') + "a"));
}

}  // namespace
}  // namespace mybuild::git
