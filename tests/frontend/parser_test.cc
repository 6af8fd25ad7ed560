// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/parser.h"

#include "frontend/dockerfile/heredoc.h"
#include "frontend/dockerfile/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Result<Document> parse_text(const std::string& text) {
  const SourceMap source("Dockerfile", text);
  return parse(source, text);
}

Node node_of(const std::string& line) {
  auto document = parse_text(line + "\n");
  EXPECT_TRUE(document) << document.error().message();
  return document ? std::move(document->nodes[0]) : Node();
}

TEST(Arguments, JsonIsTriedWhereItMayBe) {
  EXPECT_THAT(node_of(R"(CMD ["a b", "\u00e9\n"])").args, ElementsAre("a b", "é\n"));
  EXPECT_THAT(node_of(R"(CMD [ "a" ] )").args, ElementsAre("a"));
  EXPECT_THAT(node_of(R"(CMD ["a", b])").args, ElementsAre(R"(["a", b])"));
  EXPECT_THAT(node_of(R"(CMD ['a'])").args, ElementsAre("['a']"));
  EXPECT_THAT(node_of(R"(CMD [])").args, IsEmpty());
  EXPECT_TRUE(node_of(R"(VOLUME ["/a"])").json);
  EXPECT_FALSE(node_of(R"(USER ["a"])").json);
  EXPECT_FALSE(parse_text("FROM x\nCMD [\"a\", null]\n"));
}

TEST(Arguments, JsonIsReadAsGoReadsIt) {
  EXPECT_THAT(node_of("CMD [\"\\u0041\\n\\\"\\/\", \"\\ud83d\\ude00\", \"\\ud83d\"]").args,
              ElementsAre("A\n\"/", "\U0001F600", "\uFFFD"));
  EXPECT_THAT(node_of("CMD [\"a\xE4z\"]").args, ElementsAre("a\uFFFDz"));
  for (const char* text : {"CMD [\"a\tb\"]", "CMD [\"a\"", "CMD [\"\\x\"]", "CMD [\"a\",]",
                           "CMD [\"a\"] b", "CMD [\"\\ud83d\\uzzzz\"]", "CMD ['a']", "CMD [a]"}) {
    EXPECT_FALSE(node_of(text).json) << text;
  }
  EXPECT_FALSE(parse_text("FROM a\nCMD [\"\xE4\", 1]\n"));
  EXPECT_FALSE(parse_text("FROM a\nCMD " + std::string(5000, '[') + std::string(5000, ']') + "\n"));
}

TEST(Arguments, OfCopyAreCutAtBlanksWhateverTheQuotes) {
  EXPECT_THAT(node_of("COPY \"a  b\"\tc").args, ElementsAre("\"a", "b\"", "c"));
}

TEST(Arguments, PairsKeepTheirQuotes) {
  EXPECT_THAT(node_of("ENV a=\"x y\" b='=' c=\\ d").args,
              ElementsAre("a", "\"x y\"", "b", "'='", "c", "\\ d"));
  EXPECT_THAT(node_of("ENV a  x=y z").args, ElementsAre("a", "x=y z"));
  EXPECT_FALSE(parse_text("ENV a\n"));
  EXPECT_FALSE(parse_text("ENV a=b c\n"));
}

TEST(Arguments, VerbsAreCaseInsensitiveAndUnknownOnesKept) {
  EXPECT_EQ("run", node_of("rUn x").verb);
  EXPECT_EQ("nope", node_of("Nope x").verb);
  EXPECT_EQ("Nope", node_of("Nope x").original_verb);
}

struct HeredocRow {
  const char* word;
  const char* name;  // null: none
  bool expand;
  bool strip;
};
class HeredocWord : public testing::TestWithParam<HeredocRow> {};

TEST_P(HeredocWord, IsRecognised) {
  const auto& [word, name, expand, strip] = GetParam();
  const auto heredoc = parse_heredoc(word);
  ASSERT_EQ(name != nullptr, heredoc.has_value()) << word;
  if (heredoc) {
    EXPECT_EQ(name, heredoc->name);
    EXPECT_EQ(expand, heredoc->expand);
    EXPECT_EQ(strip, heredoc->strip_tabs);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, HeredocWord,
    testing::Values(
        HeredocRow{"<<EOF", "EOF", true, false}, HeredocRow{"<<-EOF", "EOF", true, true},
        HeredocRow{"3<<EOF", "EOF", true, false}, HeredocRow{"<<'EOF'", "EOF", false, false},
        HeredocRow{"<<E\"O\"F", "EOF", false, false}, HeredocRow{"<<\\EOF", "EOF", true, false},
        HeredocRow{"<< EOF", "EOF", true, false}, HeredocRow{"<<- EOF", "EOF", true, true},
        HeredocRow{"<<$X", "$X", true, false}, HeredocRow{"<<", nullptr, true, false},
        HeredocRow{"<<<EOF", nullptr, true, false}, HeredocRow{"x<<EOF", nullptr, true, false},
        HeredocRow{"<EOF", nullptr, true, false}, HeredocRow{"<<a<b", nullptr, true, false}));

TEST(Heredocs, SeveralBodiesFollowInOrder) {
  const Node node = node_of("RUN cat <<A >x && cat <<-'B'\none\n A\nA\n\ttwo\n\tB");
  ASSERT_EQ(2U, node.heredocs.size());
  EXPECT_EQ("one\n A\n", node.heredocs[0].content);
  EXPECT_EQ("\ttwo\n", node.heredocs[1].content);
  EXPECT_EQ("two\n", heredoc_text(node.heredocs[1]));
  EXPECT_EQ((LineRange{1, 6}), node.lines);
}

TEST(Heredocs, MayHaveBlanksBehindTheirMark) {
  EXPECT_EQ(1U, node_of("RUN cat <<  EOF >x\nhi\nEOF").heredocs.size());
  EXPECT_EQ(1U, node_of("RUN cat << 'a b' >x\nhi\na b").heredocs.size());
  EXPECT_TRUE(node_of("RUN cat \"<< EOF\"").heredocs.empty());
  EXPECT_TRUE(node_of("RUN cat <<- EOF").heredocs.empty());
  EXPECT_TRUE(node_of("RUN cat <<").heredocs.empty());
}

TEST(Heredocs, AreNotLookedForElsewhere) {
  EXPECT_THAT(node_of("CMD cat <<EOF").heredocs, IsEmpty());
  EXPECT_THAT(node_of("RUN [\"cat\", \"<<EOF\"]").heredocs, IsEmpty());
  EXPECT_THAT(node_of("RUN echo '<<EOF'").heredocs, IsEmpty());
}

TEST(Heredocs, KeepCarriageReturns) {
  EXPECT_EQ("a\r\n", node_of("RUN <<E\r\na\r\nE\r").heredocs.at(0).content);
}

}  // namespace
}  // namespace mybuild::frontend
