autocmd BufRead,BufNewFile *.cg setfiletype cg
