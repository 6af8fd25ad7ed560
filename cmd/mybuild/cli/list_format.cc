// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/list_format.h"

#include "cmd/mybuild/cli/flags.h"
#include "cmd/mybuild/progress/text.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

/// A piece of a template: literal text, or a field ("" = the whole row) as it is or as JSON.
struct Piece {
  std::string literal;
  std::string field;
  bool is_field = false;
  bool json = false;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// In a shell's quotes a tab is usually written as \t.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view pair = text.substr(i, 2);
    if (pair == "\\t" || pair == "\\n") {
      out += pair[1] == 't' ? '\t' : '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<Piece> parse_action(std::string_view inside, std::span<const ListField> fields) {
  Piece piece{.literal = {}, .field = {}, .is_field = true, .json = false};
  std::string_view word = trimmed(inside);
  if (word.starts_with("json ")) {
    piece.json = true;
    word = trimmed(word.substr(5));
  }
  if (word == "." && piece.json) {
    return piece;
  }
  const bool known = word.starts_with('.') &&
                     std::any_of(fields.begin(), fields.end(), [&](const ListField& field) {
                       return field.name == word.substr(1);
                     });
  if (!known) {
    std::string names;
    for (const ListField& field : fields) {
      names += fmt::format("{}.{}", names.empty() ? "" : " ", field.name);
    }
    return invalid_argument("the template has '{{{{{}}}}}', which is not known here", inside)
        .with_hint("known are json and " + names);
  }
  piece.field = word.substr(1);
  return piece;
}

Result<std::vector<Piece>> parse_template(std::string_view text,
                                          std::span<const ListField> fields) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find("{{"), text.size());
    if (open > 0) {
      pieces.push_back({.literal = unescaped(text.substr(0, open)), .field = {}});
    }
    text.remove_prefix(open);
    if (text.empty()) {
      break;
    }
    const std::size_t close = text.find("}}");
    if (close == std::string_view::npos) {
      return invalid_argument("the template has '{{{{' without '}}}}'");
    }
    pieces.push_back(TRY(parse_action(text.substr(2, close - 2), fields)));
    text.remove_prefix(close + 2);
  }
  return pieces;
}

std::string to_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string render(const std::vector<Piece>& pieces, const ListRow& row) {
  std::string out;
  for (const Piece& piece : pieces) {
    if (!piece.is_field) {
      out += piece.literal;
    } else if (piece.field.empty()) {
      out += to_json(Json(std::map<std::string, std::string>(row.begin(), row.end())));
    } else {
      const std::string& value = row.at(piece.field);
      out += piece.json ? to_json(value) : value;
    }
  }
  return out;
}

std::string header_of(const std::vector<Piece>& pieces, std::span<const ListField> fields) {
  ListRow headers;
  for (const ListField& field : fields) {
    headers.emplace(field.name, field.header);
  }
  return render(pieces, headers);
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const std::size_t tab = line.find('\t');
    cells.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) {
      return cells;
    }
    line.remove_prefix(tab + 1);
  }
}

/// Cells are what stands between tabs; the last one of a line is not filled up.
std::string aligned(const std::vector<std::string>& lines) {
  constexpr std::size_t kNarrowest = 10;
  constexpr std::size_t kGap = 3;
  std::vector<std::size_t> widths;
  for (const std::string& line : lines) {
    const auto cells = cells_of(line);
    widths.resize(std::max(widths.size(), cells.size()), kNarrowest);
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      widths[i] = std::max(widths[i], progress::display_width(cells[i]) + kGap);
    }
  }
  std::string out;
  for (const std::string& line : lines) {
    const auto cells = cells_of(line);
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      out += cells[i];
      out.append(widths[i] - progress::display_width(cells[i]), ' ');
    }
    out += fmt::format("{}\n", cells.back());
  }
  return out;
}

}  // namespace

Result<std::string> list_text(const ListStyle& style, const std::vector<ListRow>& rows,
                              const std::string& format) {
  constexpr std::string_view kTable = "table";
  std::string_view text = format.empty() ? kTable : std::string_view(format);
  const bool table = text == kTable || text.starts_with("table ");
  if (table) {
    const std::string_view rest = trimmed(text.substr(kTable.size()));
    text = rest.empty() ? style.columns : rest;
  } else if (text == "json") {
    text = "{{json .}}";
  }
  const std::vector<Piece> pieces = TRY(parse_template(text, style.fields));
  std::vector<std::string> lines;
  if (table) {
    lines.push_back(header_of(pieces, style.fields));
  }
  for (const ListRow& row : rows) {
    lines.push_back(render(pieces, row));
  }
  return table ? aligned(lines)
               : fmt::format("{}{}", fmt::join(lines, "\n"), lines.empty() ? "" : "\n");
}

}  // namespace mybuild::cli
