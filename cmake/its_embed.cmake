# cmake -DOUT=file.c -DNAMES=a;b -DFOLDER=dir -P its_embed.cmake: writes the files as C arrays with their SHA-256.
set(arrays "")
set(rows "")
set(index 0)
foreach(name IN LISTS NAMES)
  file(READ ${FOLDER}/${name} hex HEX)
  file(SHA256 ${FOLDER}/${name} hash)
  string(SUBSTRING ${hash} 0 16 tag)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
         bytes "${bytes}")
  string(APPEND arrays "static const unsigned char asset_${index}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"/${name}\", asset_${index}, sizeof asset_${index} - 1, \"\\\"${tag}\\\"\"},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "/* Generated from web/. */
#include \"serve/assets.h\"

${arrays}
const struct itsi_asset itsi_assets[] = {
${rows}};
const int itsi_asset_count = ${index};
")
